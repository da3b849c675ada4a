package io.penstock.jmh.transport;

import io.penstock.jmh.Standalone;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Collectives;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How long does an all-reduce of f32 take, one process a rank, all on this machine? Beside it Gloo over loopback and OpenMPI through
 * shared memory. With more ranks than cores the ranks take turns on them, OpenMPI's by yielding.
 */
public final class AllReduceBenchmark implements Standalone {
    private static final int[] WORLDS = {2, 4, 8};
    private static final int[] SIZES = {1 << 20, 16 << 20, 64 << 20};
    private static final long TRIAL_BYTES = 2L << 30;
    private static final int WARM_UP = 2;
    /** Eight virtual machines on two cores take seconds until their code is compiled. */
    private static final int COMPILE_ROUNDS = 4000;

    private static final long CHUNK_BYTES = 256 << 10;

    @Override
    public void run(int trials) throws Exception {
        Trials table = new Trials();
        Optional<MpiPeer> mpi = MpiPeer.compile();
        GlooPeer.load();
        for (int world : WORLDS) {
            Path gloo = Files.createTempFile("penstock-gloo", "");
            long bytes = new StreamBudget(world * (world - 1), world, true).bytes(AeronSettings.DEFAULT);
            List<Process> children = new ArrayList<>();
            try (DriverHost driver =
                    DriverHost.start(new DriverSettings(DriverSettings.SHARED_MEMORY, "allreduce", bytes, 1 << 20))) {
                String directory = driver.directory().toString();
                for (int rank = 1; rank < world; rank++) {
                    List<String> command = Wires.javaCommand(Child.class);
                    command.addAll(List.of("" + rank, "" + world, "" + trials, directory, gloo.toString()));
                    children.add(new ProcessBuilder(command).inheritIO().start());
                }
                try (Rank rank = new Rank(0, world, directory, gloo.toString())) {
                    rank.trials(trials, table, mpi);
                }
                for (Process child : children) {
                    child.waitFor();
                }
            } finally {
                children.forEach(Process::destroyForcibly);
                Files.delete(gloo);
            }
        }
        table.print(
                "all-reduce of f32, milliseconds (Penstock's shared memory so much faster)", 1e-3, Rank.SHARED, true);
    }

    /** Another rank: its number, the ranks, the trials, the directory of the driver, the store of Gloo. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Wires.endWithParent();
            int world = Integer.parseInt(arguments[1]);
            try (Rank rank = new Rank(Integer.parseInt(arguments[0]), world, arguments[3], arguments[4])) {
                rank.trials(Integer.parseInt(arguments[2]), new Trials(), Optional.empty());
            }
        }
    }

    private interface Body {
        void run(int count) throws Exception;
    }

    /** One of the ranks; all do the same. */
    private static final class Rank implements AutoCloseable {
        private static final String SHARED = "Penstock, shared memory";
        private static final String PRIVATE = "Penstock, private memory";

        private final int rank;
        private final int world;
        private final Endpoint endpoint;
        private final Collectives collectives;
        private final GlooPeer gloo;
        private final MemorySegment own;
        private final MemorySegment shared;
        private final F32Sum sum = new F32Sum();

        Rank(int rank, int world, String directory, String store) {
            this.rank = rank;
            this.world = world;
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < world; i++) {
                long pid = ProcessHandle.current().pid();
                members.add(new Member(i, "localhost", Machine.identity(), pid, "", directory, ""));
            }
            AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
            endpoint = AeronEndpoint.open(new Membership(11, 1, members), rank, aeron, EndpointSettings.DEFAULT);
            MemorySegment scratch = Arena.global().allocate(Collectives.scratchBytes(world, CHUNK_BYTES), 4096);
            collectives = new Collectives(endpoint, IntStream.range(0, world).toArray(), scratch);
            own = Arena.global().allocate(SIZES[SIZES.length - 1], 4096).fill((byte) 0);
            shared = endpoint.allocate(SIZES[SIZES.length - 1]).orElseThrow();
            gloo = new GlooPeer(store, rank, world);
        }

        void trials(int trials, Trials table, Optional<MpiPeer> mpi) throws Exception {
            // Compiled code, as in a run of some minutes; the peers are compiled already.
            reduce(own, SIZES[0], COMPILE_ROUNDS);
            reduce(shared, SIZES[0], COMPILE_ROUNDS);
            for (int trial = 0; trial < trials; trial++) {
                for (int size : SIZES) {
                    int count = (int) Math.max(2, TRIAL_BYTES / size / world);
                    record(table, SHARED, size, seconds(shared, count, times -> reduce(shared, size, times)));
                    record(table, PRIVATE, size, seconds(own, count, times -> reduce(own, size, times)));
                    record(table, "Gloo", size, seconds(own, count, times -> gloo.allReduce(own, size, times)));
                    if (mpi.isPresent()) {
                        double[] seconds = mpi.get().ask(world, "allreduce", "" + size, "" + count, "1");
                        record(table, "OpenMPI", size, seconds[0]);
                    }
                }
            }
        }

        private void reduce(MemorySegment data, int size, int times) {
            for (int i = 0; i < times; i++) {
                collectives.allReduce(data, 0, size, sum);
            }
        }

        private void record(Trials table, String row, int size, double seconds) {
            if (rank == 0) {
                table.add(row, world + " ranks, " + (size >> 20) + " MiB", seconds);
            }
        }

        private double seconds(MemorySegment data, int count, Body body) throws Exception {
            data.set(ValueLayout.JAVA_FLOAT, 0, 1);
            collectives.barrier();
            body.run(WARM_UP);
            float expected = (float) Math.pow(world, WARM_UP);
            float found = data.get(ValueLayout.JAVA_FLOAT, 0);
            if (found != expected) {
                throw new IllegalStateException("the sum is " + found + ", not " + expected);
            }
            data.set(ValueLayout.JAVA_FLOAT, 0, 0);
            collectives.barrier();
            long start = System.nanoTime();
            body.run(count);
            collectives.barrier();
            return (System.nanoTime() - start) / 1e9 / count;
        }

        @Override
        public void close() {
            endpoint.announceDone();
            endpoint.close();
        }
    }
}
