package io.penstock.jmh.transport;

import io.penstock.jmh.Standalone;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * How fast do messages go one way between two processes of this machine? Beside them the floor, one memcpy in each process at the same
 * time, and sockets and OpenMPI. Warm: two buffers in turn on each side, which the caches hold up to some size, so that the floor is a
 * copy inside one core's own cache. Cold: 128 MiB of buffers in turn, as activations of many micro-batches are.
 */
public final class ThroughputBenchmark implements Standalone {
    private static final long[] SIZES = {256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
    private static final long ALL_BYTES = 128 << 20;
    private static final long TRIAL_BYTES = 512L << 20;
    private static final String FLOOR = "floor: memcpy in both at once";
    private static final String SHARED = "Penstock, shared memory";
    private static final String SLAB = "Penstock, private memory (slab)";
    private static final String MPI = "OpenMPI, shared memory";

    @Override
    public void run(int trials) throws Exception {
        try (Wires wires = Wires.host(Child.class, Integer.toString(trials))) {
            new Side(wires, true).trials(trials, MpiPeer.compile());
        }
    }

    /** The other process: does what the host does, from the other side. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Wires.endWithParent();
            try (Wires wires = Wires.join(arguments)) {
                new Side(wires, false).trials(Integer.parseInt(arguments[0]), Optional.empty());
            }
        }
    }

    /** One process of the two; the host receives and reports. */
    private static final class Side {
        private final Wires wires;
        private final boolean host;
        private final MemorySegment own;
        private final MemorySegment target;
        private final MemorySegment shared;
        private final Trials warm = new Trials();
        private final Trials cold = new Trials();

        Side(Wires wires, boolean host) {
            this.wires = wires;
            this.host = host;
            own = Arena.global().allocate(ALL_BYTES, 4096).fill((byte) 1);
            target = Arena.global().allocate(ALL_BYTES, 4096).fill((byte) 2);
            shared = wires.ipcEndpoint().allocate(ALL_BYTES).fill((byte) 1);
        }

        void trials(int trials, Optional<MpiPeer> mpi) throws Exception {
            stream(wires.of(Wires.IPC), own, SIZES[0], 2, 500);
            for (int trial = 0; trial < trials; trial++) {
                for (long size : SIZES) {
                    measure(warm, size, 2, mpi);
                    measure(cold, size, (int) (ALL_BYTES / size), mpi);
                }
            }
            if (host) {
                warm.print("one way, warm, GB/s (times the floor)", 1e9, FLOOR, true);
                cold.print("one way, cold, GB/s (times the floor)", 1e9, FLOOR, true);
            }
        }

        private void measure(Trials trials, long size, int buffers, Optional<MpiPeer> mpi) throws Exception {
            int count = (int) (TRIAL_BYTES / size);
            record(trials, FLOOR, size, floor(size, buffers, count));
            record(trials, SHARED, size, stream(wires.of(Wires.IPC), shared, size, buffers, count));
            record(trials, SLAB, size, stream(wires.of(Wires.IPC), own, size, buffers, count));
            for (String name : new String[] {Wires.PLAIN, Wires.UDP, Wires.NIO, Wires.NETTY}) {
                record(trials, name, size, stream(wires.of(name), own, size, buffers, count));
            }
            if (mpi.isPresent()) {
                double[] rate = mpi.get().ask(2, "stream", "" + size, "" + count, "" + buffers);
                record(trials, MPI, size, rate[0]);
            }
        }

        private void record(Trials trials, String row, long size, double rate) {
            if (host) {
                trials.add(row, size >= 1 << 20 ? (size >> 20) + " MiB" : (size >> 10) + " KiB", rate);
            }
        }

        /** Bytes per second at the receiver. */
        private double stream(Wire wire, MemorySegment from, long size, int buffers, int count) throws Exception {
            MemorySegment[] word = {own.asSlice(0, 8)};
            if (!host) {
                MemorySegment[] sources = slices(from, size, buffers);
                wire.receive(word, 8, 1);
                wire.send(sources, size, buffers);
                wire.send(sources, size, count);
                return 0;
            }
            MemorySegment[] targets = slices(target, size, buffers);
            target.asSlice(0, size * buffers).fill((byte) 2);
            wire.send(word, 8, 1);
            wire.receive(targets, size, buffers);
            long start = System.nanoTime();
            wire.receive(targets, size, count);
            double rate = size * (double) count / (System.nanoTime() - start) * 1e9;
            long wrong = targets[buffers - 1].mismatch(own.asSlice(0, size));
            if (wrong >= 0) {
                throw new IllegalStateException("byte " + wrong + " of " + size + " is wrong");
            }
            return rate;
        }

        private static MemorySegment[] slices(MemorySegment memory, long size, int buffers) {
            return LongStream.range(0, buffers)
                    .mapToObj(i -> memory.asSlice(i * size, size))
                    .toArray(MemorySegment[]::new);
        }

        /** Bytes per second of the slower of two processes that copy at the same time. */
        private double floor(long size, int buffers, int count) throws Exception {
            Wire sync = wires.of(Wires.NIO);
            MemorySegment[] word = {Arena.ofAuto().allocate(8)};
            for (int i = 0; i < buffers; i++) {
                MemorySegment.copy(own, i * size, target, i * size, size);
            }
            if (host) {
                sync.send(word, 8, 1);
            } else {
                sync.receive(word, 8, 1);
            }
            long start = System.nanoTime();
            for (int i = 0; i < count; i++) {
                MemorySegment.copy(own, i % buffers * size, target, i % buffers * size, size);
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
    }
}
