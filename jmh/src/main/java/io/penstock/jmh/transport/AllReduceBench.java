package io.penstock.jmh.transport;

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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One all-reduce of f32, one process a rank, all on this machine, beside OpenMPI's; best of the trials.
 *
 * <p>{@code java FLAGS -cp ... io.penstock.jmh.transport.AllReduceBench [TRIALS]} in the root of the repository.
 */
public final class AllReduceBench {
    private static final int[] WORLDS = {2, 4, 8};
    private static final int[] SIZES = {1 << 20, 16 << 20, 64 << 20};
    private static final long TRIAL_BYTES = 256L << 20;
    private static final long CHUNK_BYTES = 256 << 10;

    private AllReduceBench() {}

    /** Another rank: its number, the ranks, the trials, the directory of the driver. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            int rank = Integer.parseInt(arguments[0]);
            run(rank, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), arguments[3], Optional.empty());
        }
    }

    public static void main(String[] arguments) throws Exception {
        int trials = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
        Optional<MpiPeer> mpi = MpiPeer.compile(Path.of("jmh/src/peers/mpi_peer.c"));
        for (int world : WORLDS) {
            StreamBudget budget = new StreamBudget(world * (world - 1), world, true);
            long bytes = budget.bytes(AeronSettings.DEFAULT);
            List<Process> children = new ArrayList<>();
            try (DriverHost driver =
                    DriverHost.start(new DriverSettings(DriverSettings.SHARED_MEMORY, "allreduce", bytes, 1 << 20))) {
                String directory = driver.directory().toString();
                for (int rank = 1; rank < world; rank++) {
                    List<String> command = Wires.javaCommand(Child.class);
                    command.addAll(List.of("" + rank, "" + world, "" + trials, directory));
                    children.add(new ProcessBuilder(command).inheritIO().start());
                }
                run(0, world, trials, directory, mpi);
                for (Process child : children) {
                    child.waitFor();
                }
            }
        }
    }

    private static void run(int rank, int world, int trials, String directory, Optional<MpiPeer> mpi) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < world; i++) {
            long pid = ProcessHandle.current().pid();
            members.add(new Member(i, "localhost", Machine.identity(), pid, "", directory, ""));
        }
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
        try (Arena arena = Arena.ofShared();
                Endpoint endpoint =
                        AeronEndpoint.open(new Membership(11, 1, members), rank, aeron, EndpointSettings.DEFAULT)) {
            MemorySegment scratch = arena.allocate(Collectives.scratchBytes(world, CHUNK_BYTES), 4096);
            Collectives collectives =
                    new Collectives(endpoint, IntStream.range(0, world).toArray(), scratch);
            MemorySegment data = arena.allocate(SIZES[SIZES.length - 1], 4096).fill((byte) 0);
            for (int size : SIZES) {
                double best = Double.MAX_VALUE;
                double peer = Double.MAX_VALUE;
                int count = (int) Math.max(2, TRIAL_BYTES / size / world);
                for (int trial = 0; trial < trials; trial++) {
                    best = Math.min(best, seconds(collectives, data, size, count));
                    if (mpi.isPresent()) {
                        peer = Math.min(peer, askMpi(mpi.get(), world, size, count));
                    }
                }
                if (rank == 0) {
                    System.out.printf(
                            Locale.ROOT,
                            "| %d ranks | %d MiB | penstock %.2f ms | openmpi %.2f ms | %.2fx |%n",
                            world,
                            size >> 20,
                            best * 1e3,
                            peer * 1e3,
                            peer / best);
                }
            }
            endpoint.announceDone();
        }
    }

    private static double askMpi(MpiPeer mpi, int world, int size, int count) {
        try {
            return mpi.ask(world, "allreduce", "" + size, "" + count)[0];
        } catch (Exception e) {
            throw new IllegalStateException("OpenMPI's all-reduce of " + size + " bytes", e);
        }
    }

    private static double seconds(Collectives collectives, MemorySegment data, int size, int count) {
        F32Sum sum = new F32Sum();
        data.set(ValueLayout.JAVA_FLOAT, 0, 1);
        for (int i = 0; i < 2; i++) {
            collectives.allReduce(data, 0, size, sum);
        }
        float expected = collectives.groupSize() * (float) collectives.groupSize();
        if (data.get(ValueLayout.JAVA_FLOAT, 0) != expected) {
            throw new IllegalStateException("sum is " + data.get(ValueLayout.JAVA_FLOAT, 0) + ", not " + expected);
        }
        data.set(ValueLayout.JAVA_FLOAT, 0, 0);
        collectives.barrier();
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            collectives.allReduce(data, 0, size, sum);
        }
        collectives.barrier();
        return (System.nanoTime() - start) / 1e9 / count;
    }
}
