package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class StagedEndpointTest {
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final long CHUNK_BYTES = 4096;
    private static final int[] SIZES = {0, 1, 1000, 4096, 4097, 100_003};

    /** A device whose copies are done when somebody has looked at them often enough, or waits. */
    private static final class LateStaging implements Staging {
        private final Arena arena = Arena.ofShared();
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
        private long started;
        private long done;
        private int looks;
        private int allocations;

        @Override
        public MemorySegment allocate(long bytes) {
            allocations++;
            return arena.allocate(bytes, 64);
        }

        private long start(Runnable copy) {
            waiting.add(copy);
            return started++;
        }

        @Override
        public long startDownload(MemorySegment host, long at, MemorySegment device, long from, long bytes) {
            return start(() -> MemorySegment.copy(device, from, host, at, bytes));
        }

        @Override
        public long startUpload(MemorySegment device, long at, MemorySegment host, long from, long bytes) {
            return start(() -> MemorySegment.copy(host, from, device, at, bytes));
        }

        @Override
        public boolean isDone(long copy) {
            if (copy >= done && ++looks % 3 == 0) {
                await(copy);
            }
            return copy < done;
        }

        @Override
        public void await(long copy) {
            while (done <= copy) {
                waiting.remove().run();
                done++;
            }
        }

        @Override
        public void orderAfter(long copy) {
            await(copy);
        }

        @Override
        public void close() {
            await(started - 1);
            arena.close();
        }
    }

    private static byte value(int sender, int message, long i) {
        return (byte) (sender * 31 + message * 7 + i * 13);
    }

    @ParameterizedTest
    @EnumSource(
            value = World.Path.class,
            names = {"MEMORY", "IPC"})
    void shouldCarryManyMessagesBothWaysInOrder(World.Path path) throws Exception {
        try (World world = new World(path, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                LateStaging staging = new LateStaging();
                int allocated = 0;
                try (StagedEndpoint staged = new StagedEndpoint(endpoint, staging, CHUNK_BYTES)) {
                    for (int round = 0; round < 3; round++) {
                        exchange(staged, arena, round);
                        assertEquals(round == 0 ? staging.allocations : allocated, staging.allocations, "kept");
                        allocated = staging.allocations;
                    }
                }
            });
        }
    }

    private static void exchange(StagedEndpoint staged, Arena device, int round) {
        int me = staged.rank();
        List<Transfer> sends = new ArrayList<>();
        List<Transfer> receives = new ArrayList<>();
        List<MemorySegment> memory = new ArrayList<>();
        for (int message = 0; message < SIZES.length; message++) {
            int size = SIZES[message];
            MemorySegment out = device.allocate(size + 2L);
            for (int i = 0; i < size; i++) {
                out.set(ValueLayout.JAVA_BYTE, i + 1, value(me, message + round, i));
            }
            sends.add(staged.send(1 - me, TAG, round, message, out, 1, size));
        }
        for (int message = 0; message < SIZES.length; message++) {
            memory.add(device.allocate(SIZES[message] + 2L));
            receives.add(staged.receive(1 - me, TAG, round, message, memory.get(message), 1, SIZES[message]));
        }
        for (int message = SIZES.length - 1; message >= 0; message--) {
            staged.await(receives.get(message));
            for (int i = 0; i < SIZES[message]; i++) {
                assertEquals(
                        value(1 - me, message + round, i),
                        memory.get(message).get(ValueLayout.JAVA_BYTE, i + 1),
                        "message " + message + ", byte " + i);
            }
            assertEquals(0, memory.get(message).get(ValueLayout.JAVA_BYTE, 0));
            assertEquals(0, memory.get(message).get(ValueLayout.JAVA_BYTE, SIZES[message] + 1L));
        }
        sends.forEach(staged::await);
    }

    private static final Reducer SUM = new Reducer() {
        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            for (long i = 0; i < length; i += 4) {
                int sum = 0;
                for (int s = 0; s < sources.length; s++) {
                    sum += sources[s].get(ValueLayout.JAVA_INT, offsets[s] + i);
                }
                to.set(ValueLayout.JAVA_INT, at + i, sum);
            }
        }
    };

    @ParameterizedTest
    @EnumSource(
            value = World.Path.class,
            names = {"MEMORY", "IPC"})
    void shouldCarryCollectives(World.Path path) throws Exception {
        try (World world = new World(path, 3, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                try (StagedEndpoint staged = new StagedEndpoint(endpoint, new LateStaging(), CHUNK_BYTES)) {
                    MemorySegment scratch = arena.allocate(Collectives.scratchBytes(3, 20_000), 64);
                    Collectives collectives = new Collectives(staged, new int[] {0, 1, 2}, scratch);
                    int elements = 50_021;
                    MemorySegment data = arena.allocate(4L * elements, 64);
                    for (int i = 0; i < elements; i++) {
                        data.setAtIndex(ValueLayout.JAVA_INT, i, i * (staged.rank() + 1));
                    }
                    collectives.allReduce(data, 0, 4L * elements, SUM);
                    for (int i = 0; i < elements; i++) {
                        assertEquals(i * 6, data.getAtIndex(ValueLayout.JAVA_INT, i), "element " + i);
                    }
                    collectives.barrier();
                }
            });
        }
    }
}
