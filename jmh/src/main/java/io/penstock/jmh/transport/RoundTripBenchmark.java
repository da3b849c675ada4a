package io.penstock.jmh.transport;

import io.penstock.jmh.Standalone;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/**
 * How long does a small message take to another process of this machine and back? Beside it the floor, Aeron IPC with nothing around it
 * and both threads spinning, sockets, and OpenMPI, which spins.
 */
public final class RoundTripBenchmark implements Standalone {
    private static final int[] SIZES = {64, 4096};
    private static final String[] WIRES = {Wires.AERON, Wires.IPC, Wires.UDP, Wires.NIO, Wires.NETTY};
    private static final String[] QUANTILES = {"p50", "p99", "p99.9"};
    private static final int ROUND_TRIPS = 10_000;
    private static final int WARM_UP = 5_000;

    @Override
    public void run(int trials) throws Exception {
        try (Wires wires = Wires.host(Child.class, Integer.toString(trials))) {
            new Side(wires, true).trials(trials, MpiPeer.compile());
        }
    }

    /** The other process: sends everything back. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Wires.endWithParent();
            try (Wires wires = Wires.join(arguments)) {
                new Side(wires, false).trials(Integer.parseInt(arguments[0]), Optional.empty());
            }
        }
    }

    /** One process of the two. */
    private static final class Side {
        private final Wires wires;
        private final boolean host;
        private final MemorySegment[] buffer = {Arena.global().allocate(4096, 4096)};
        private final double[] us = new double[ROUND_TRIPS];
        private final Trials trials = new Trials();

        Side(Wires wires, boolean host) {
            this.wires = wires;
            this.host = host;
        }

        void trials(int count, Optional<MpiPeer> mpi) throws Exception {
            for (int trial = 0; trial < count; trial++) {
                for (int size : SIZES) {
                    for (String name : WIRES) {
                        roundTrips(wires.of(name), size);
                        record(name, size, quantile(0.5), quantile(0.99), quantile(0.999));
                    }
                    if (mpi.isPresent()) {
                        record("OpenMPI", size, mpi.get().ask(2, "trip", "" + size, "" + ROUND_TRIPS, "1"));
                    }
                }
            }
            if (host) {
                trials.print("round trip, microseconds", 1, "", false);
            }
        }

        private void roundTrips(Wire wire, int size) throws Exception {
            for (int i = -WARM_UP; i < ROUND_TRIPS; i++) {
                if (host) {
                    long start = System.nanoTime();
                    wire.send(buffer, size, 1);
                    wire.receive(buffer, size, 1);
                    us[Math.max(i, 0)] = (System.nanoTime() - start) / 1e3;
                } else {
                    wire.receive(buffer, size, 1);
                    wire.send(buffer, size, 1);
                }
            }
            Arrays.sort(us);
        }

        private double quantile(double share) {
            return us[(int) (ROUND_TRIPS * share)];
        }

        private void record(String row, int size, double... quantiles) {
            for (int i = 0; host && i < quantiles.length; i++) {
                trials.add(row, size + " B " + QUANTILES[i], quantiles[i]);
            }
        }
    }
}
