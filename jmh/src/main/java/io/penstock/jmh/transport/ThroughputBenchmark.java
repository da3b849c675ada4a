package io.penstock.jmh.transport;

import io.penstock.jmh.Standalone;
import io.penstock.tensor.HostMemory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * How fast do messages go one way between two processes of this machine? Beside them the floor, one memcpy in each process at the same
 * time, and sockets and OpenMPI. Warm: two buffers in turn on each side, which the caches hold up to some size, so that the floor is a
 * copy inside one core's own cache. Cold: 128 MiB of buffers in turn, as activations of many micro-batches are.
 *
 * <p>The bytes lie where a tensor's do, in huge pages where the system gives them; shared memory has small ones.
 *
 * <p>Each process, all of its threads, is kept on a core of its own, and OpenMPI's ranks are. A measurement takes 200 ms or more: it is
 * the first of rounds of ever more messages that takes so long.
 */
public final class ThroughputBenchmark implements Standalone {
    private static final long[] SIZES = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
    private static final int WARM_UP = 20;
    private static final long ALL_BYTES = 128 << 20;
    private static final String FLOOR = "floor: memcpy in both at once";
    private static final String BOTH = "Penstock, both ends copy";
    private static final String SHARED = "Penstock, shared memory";
    private static final String SLAB = "Penstock, slab";
    private static final String MPI = "OpenMPI, shared memory";

    @Override
    public void run(int trials) throws Exception {
        try (Wires wires = Wires.host(Child.class, Integer.toString(trials))) {
            Cores.pin(0);
            new Side(wires, true).trials(trials, MpiPeer.compile());
        }
    }

    /** The other process: does what the host does, from the other side. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Wires.endWithParent();
            try (Wires wires = Wires.join(arguments)) {
                Cores.pin(1);
                new Side(wires, false).trials(Integer.parseInt(arguments[0]), Optional.empty());
            }
        }
    }

    /** One process of the two; the host receives and reports. */
    private static final class Side {
        private final Wires wires;
        private final boolean host;
        private final HostMemory[] memories = {new HostMemory(ALL_BYTES), new HostMemory(ALL_BYTES)};
        private final MemorySegment own;
        private final MemorySegment target;
        private final MemorySegment shared;
        private final Rounds rounds;
        private final Trials warm = new Trials();
        private final Trials cold = new Trials();
        private final Trials sleeps = new Trials();

        Side(Wires wires, boolean host) {
            this.wires = wires;
            this.host = host;
            own = memories[0].segment().fill((byte) 1);
            target = memories[1].segment().fill((byte) 2);
            shared = wires.slabEndpoint().allocate(ALL_BYTES).orElseThrow().fill((byte) 1);
            rounds = new Rounds(wires.of(Wires.NIO), host);
        }

        void trials(int trials, Optional<MpiPeer> mpi) throws Exception {
            // What is compiled now is not compiled in the first measurements.
            for (int i = 0; i < WARM_UP; i++) {
                for (String name :
                        new String[] {Wires.IPC, Wires.SLAB, Wires.PLAIN, Wires.UDP, Wires.NIO, Wires.NETTY}) {
                    var _ = stream(wires.of(name), own, SIZES[0], 2);
                }
            }
            for (int trial = 0; trial < trials; trial++) {
                for (long size : SIZES) {
                    measure(warm, size, 2, mpi);
                    measure(cold, size, (int) (ALL_BYTES / size), mpi);
                }
            }
            if (host) {
                warm.print("one way, warm, GB/s (times the floor)", 1e9, FLOOR, true);
                cold.print("one way, cold, GB/s (times the floor)", 1e9, FLOOR, true);
                sleeps.print("one way, warm, sleeps a message of both processes", 1, "", false);
            }
        }

        private void measure(Trials trials, long size, int buffers, Optional<MpiPeer> mpi) throws Exception {
            record(trials, FLOOR, size, floor(size, buffers));
            record(trials, BOTH, size, stream(wires.of(Wires.IPC), own, size, buffers));
            record(trials, SHARED, size, stream(wires.of(Wires.SLAB), shared, size, buffers));
            record(trials, SLAB, size, stream(wires.of(Wires.SLAB), own, size, buffers));
            for (String name : new String[] {Wires.PLAIN, Wires.UDP, Wires.NIO, Wires.NETTY}) {
                record(trials, name, size, stream(wires.of(name), own, size, buffers));
            }
            if (mpi.isPresent()) {
                double[] rate = mpi.get().ask(2, "stream", "" + size, "" + Rounds.MILLIS, "" + buffers);
                trials.add(MPI, name(size), rate[0]);
            }
        }

        private void record(Trials trials, String row, long size, Rounds.Round round) {
            if (host) {
                trials.add(row, name(size), size * (double) round.count() / round.ns() * 1e9);
                if (trials == warm) {
                    sleeps.add(row, name(size), round.sleeps() / (double) round.count());
                }
            }
        }

        private static String name(long size) {
            return size >= 1 << 20 ? (size >> 20) + " MiB" : (size >> 10) + " KiB";
        }

        private Rounds.Round stream(Wire wire, MemorySegment from, long size, int buffers) throws Exception {
            if (!host) {
                MemorySegment[] sources = slices(from, size, buffers);
                return rounds.run(buffers, count -> wire.send(sources, size, count));
            }
            MemorySegment[] targets = slices(target, size, buffers);
            target.asSlice(0, size * buffers).fill((byte) 2);
            Rounds.Round round = rounds.run(buffers, count -> wire.receive(targets, size, count));
            for (MemorySegment each : targets) {
                long wrong = each.mismatch(own.asSlice(0, size));
                if (wrong >= 0) {
                    throw new IllegalStateException("byte " + wrong + " of " + size + " is wrong");
                }
            }
            return round;
        }

        private static MemorySegment[] slices(MemorySegment memory, long size, int buffers) {
            return LongStream.range(0, buffers)
                    .mapToObj(i -> memory.asSlice(i * size, size))
                    .toArray(MemorySegment[]::new);
        }

        /** Two processes that copy as many messages at the same time; the slower one counts. */
        private Rounds.Round floor(long size, int buffers) throws Exception {
            return rounds.run(buffers, count -> {
                for (int i = 0; i < count; i++) {
                    MemorySegment.copy(own, i % buffers * size, target, i % buffers * size, size);
                }
            });
        }
    }
}
