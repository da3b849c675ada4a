package io.penstock.jmh.transport;

import io.penstock.transport.Counter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Throughput one way and round trips between two processes of this machine, every wire in every trial, beside the floor: one memcpy in
 * each process at the same time. Medians over the trials.
 *
 * <p>{@code java FLAGS -cp ... io.penstock.jmh.transport.WireBench [TRIALS]} in the root of the repository.
 */
public final class WireBench {
    private static final long[] SIZES = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
    private static final long[] SMALL = {64, 4096};
    private static final String[] STREAMS = {Wires.SHARED, Wires.SLAB, Wires.PLAIN, Wires.UDP, Wires.NIO, Wires.NETTY};
    private static final String[] TRIPS = {Wires.AERON, Wires.PLAIN, Wires.UDP, Wires.NIO, Wires.NETTY};
    /** -Dpenstock.bench.only=PART measures the wires with that in their names. */
    private static final String ONLY = System.getProperty("penstock.bench.only", "");

    private static final String FLOOR = "memcpy in both";
    private static final String MPI = "openmpi";
    private static final long TRIAL_BYTES = Long.getLong("penstock.bench.bytes", 512L << 20);
    private static final int ROUND_TRIPS = 20_000;
    private static final int WARM_ROUND_TRIPS = 10_000;

    private WireBench() {}

    /** The other process: does what the host does, from the other side. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            try (Wires wires = Wires.join(arguments)) {
                new Side(wires, false).trials(Integer.parseInt(arguments[0]), Optional.empty());
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String trials = arguments.length > 0 ? arguments[0] : "5";
        Optional<MpiPeer> mpi =
                MPI.contains(ONLY) ? MpiPeer.compile(Path.of("jmh/src/peers/mpi_peer.c")) : Optional.empty();
        try (Wires wires = Wires.host(Child.class, trials)) {
            new Side(wires, true).trials(Integer.parseInt(trials), mpi);
        }
    }

    /** One process of the two; the host receives and reports. */
    private static final class Side {
        private final Wires wires;
        private final boolean host;
        private final MemorySegment[] buffers = new MemorySegment[2];
        private final MemorySegment[] copies = new MemorySegment[2];
        private final Map<String, List<Double>> rates = new LinkedHashMap<>();
        private final Map<String, List<Double>> trips = new LinkedHashMap<>();

        Side(Wires wires, boolean host) {
            this.wires = wires;
            this.host = host;
            Arena arena = Arena.global();
            for (int i = 0; i < 2; i++) {
                buffers[i] = arena.allocate(SIZES[SIZES.length - 1], 4096).fill((byte) 1);
                copies[i] = arena.allocate(SIZES[SIZES.length - 1], 4096).fill((byte) 2);
            }
        }

        void trials(int trials, Optional<MpiPeer> mpi) throws Exception {
            stream(wires.of(Wires.SLAB), SIZES[0], 500);
            for (int trial = 0; trial < trials; trial++) {
                for (long size : SIZES) {
                    int count = (int) (TRIAL_BYTES / size);
                    record(rates, FLOOR, size, floor(size, count));
                    for (String name : only(STREAMS)) {
                        record(rates, name, size, stream(wires.of(name), size, count));
                    }
                    if (mpi.isPresent()) {
                        double[] rate = mpi.get().ask(2, "stream", "" + size, "" + count);
                        record(rates, MPI, size, rate[0]);
                    }
                }
                for (long size : SMALL) {
                    for (String name : only(TRIPS)) {
                        roundTrips(name, size);
                    }
                    if (mpi.isPresent()) {
                        double[] us = mpi.get().ask(2, "trip", "" + size, "" + ROUND_TRIPS);
                        for (int i = 0; i < 3; i++) {
                            record(trips, MPI + " " + i, size, us[i]);
                        }
                    }
                }
            }
            if (host) {
                report();
            }
        }

        private static List<String> only(String[] names) {
            return Arrays.stream(names).filter(name -> name.contains(ONLY)).toList();
        }

        private void record(Map<String, List<Double>> to, String name, long size, double value) {
            if (host) {
                System.out.printf(Locale.ROOT, "%s, %d bytes: %.4g%n", name, size, value);
            }
            to.computeIfAbsent(name + " @" + size, key -> new ArrayList<>()).add(value);
        }

        /** Bytes per second at the receiver. */
        private double stream(Wire wire, long size, int count) throws Exception {
            if (!host) {
                wire.receive(buffers, 8, 1);
                wire.send(buffers, size, 2);
                wire.send(buffers, size, count);
                return 0;
            }
            wire.send(buffers, 8, 1);
            wire.receive(buffers, size, 2);
            long start = System.nanoTime();
            wire.receive(buffers, size, count);
            return size * (double) count / (System.nanoTime() - start) * 1e9;
        }

        /** Bytes per second of the slower of two processes that copy at the same time. */
        private double floor(long size, int count) throws Exception {
            Wire sync = wires.of(Wires.NIO);
            MemorySegment[] word = {Arena.ofAuto().allocate(8), Arena.ofAuto().allocate(8)};
            if (host) {
                sync.send(word, 8, 1);
            } else {
                sync.receive(word, 8, 1);
            }
            long start = System.nanoTime();
            for (int i = 0; i < count; i++) {
                MemorySegment.copy(buffers[i % 2], 0, copies[i % 2], 0, size);
            }
            long ns = System.nanoTime() - start;
            if (!host) {
                word[0].set(ValueLayout.JAVA_LONG, 0, ns);
                sync.send(word, 8, 1);
                return 0;
            }
            sync.receive(word, 8, 1);
            return size * (double) count / Math.max(ns, word[0].get(ValueLayout.JAVA_LONG, 0)) * 1e9;
        }

        private void roundTrips(String name, long size) throws Exception {
            Wire wire = wires.of(name);
            double[] us = new double[ROUND_TRIPS];
            for (int i = -WARM_ROUND_TRIPS; i < ROUND_TRIPS; i++) {
                if (host) {
                    long start = System.nanoTime();
                    wire.send(buffers, size, 1);
                    wire.receive(buffers, size, 1);
                    us[Math.max(i, 0)] = (System.nanoTime() - start) / 1e3;
                } else {
                    wire.receive(buffers, size, 1);
                    wire.send(buffers, size, 1);
                }
            }
            Arrays.sort(us);
            record(trips, name + " 0", size, us[ROUND_TRIPS / 2]);
            record(trips, name + " 1", size, us[(int) (ROUND_TRIPS * 0.99)]);
            record(trips, name + " 2", size, us[(int) (ROUND_TRIPS * 0.999)]);
        }

        private static double median(Map<String, List<Double>> from, String key) {
            List<Double> values = from.getOrDefault(key, List.of());
            return values.isEmpty()
                    ? Double.NaN
                    : values.stream().sorted().toList().get(values.size() / 2);
        }

        private void report() throws IOException {
            StringBuilder text = new StringBuilder("\none way, GB/s (share of the floor)\n| wire |");
            for (long size : SIZES) {
                text.append(String.format(Locale.ROOT, " %d KiB |", size >> 10));
            }
            List<String> names = new ArrayList<>(List.of(FLOOR));
            names.addAll(List.of(STREAMS));
            names.add(MPI);
            for (String name : names) {
                text.append("\n| ").append(name).append(" |");
                for (long size : SIZES) {
                    double rate = median(rates, name + " @" + size);
                    double floor = median(rates, FLOOR + " @" + size);
                    text.append(String.format(Locale.ROOT, " %.2f (%.0f%%) |", rate / 1e9, 100 * rate / floor));
                }
            }
            text.append("\n\nround trip, microseconds: p50 / p99 / p99.9\n| wire | 64 B | 4 KiB |");
            names = new ArrayList<>(List.of(TRIPS));
            names.add(MPI);
            for (String name : names) {
                text.append("\n| ").append(name).append(" |");
                for (long size : SMALL) {
                    for (int i = 0; i < 3; i++) {
                        double us = median(trips, name + " " + i + " @" + size);
                        text.append(String.format(Locale.ROOT, i == 0 ? " %.1f" : " / %.1f", us));
                    }
                    text.append(" |");
                }
            }
            System.out.println(text);
            PenstockWire slab = (PenstockWire) wires.of(Wires.SLAB);
            System.out.println(
                    "slab wire: " + slab.endpoint().counters().of(1, Counter.BYTES_RECEIVED) + " bytes received");
        }
    }
}
