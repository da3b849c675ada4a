package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class CollectivesTest {
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final int[] SIZES = {0, 1, 2, 7, 207, 1024, 100_003};

    /** f32 in rank order, the plainest way. */
    private static final class F32Sum implements Reducer {
        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            for (long i = 0; i < length; i += 4) {
                float sum = sources[0].get(ValueLayout.JAVA_FLOAT, offsets[0] + i);
                for (int s = 1; s < sources.length; s++) {
                    sum += sources[s].get(ValueLayout.JAVA_FLOAT, offsets[s] + i);
                }
                to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
            }
        }
    }

    private static float value(int rank, int index) {
        return new Random(rank * 7919L + index).nextFloat() * 1e3f - 300;
    }

    private static Collectives collectives(Endpoint endpoint, int[] group, Arena arena) {
        return new Collectives(endpoint, group, arena.allocate(Collectives.scratchBytes(group.length, 4096), 64));
    }

    private static int[] all(int worldSize) {
        int[] ranks = new int[worldSize];
        for (int i = 0; i < worldSize; i++) {
            ranks[i] = i;
        }
        return ranks;
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,1", "MEMORY,2", "MEMORY,3", "MEMORY,5", "IPC,2", "IPC,3", "UDP,3"})
    void shouldSumInRankOrder(World.Path path, int worldSize) throws Exception {
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                for (int elements : SIZES) {
                    MemorySegment data = arena.allocate(4L * elements + 8, 64);
                    for (int i = 0; i < elements; i++) {
                        data.setAtIndex(ValueLayout.JAVA_FLOAT, i + 1, value(endpoint.rank(), i));
                    }
                    collectives.allReduce(data, 4, 4L * elements, new F32Sum());
                    for (int i = 0; i < elements; i++) {
                        float expected = value(0, i);
                        for (int rank = 1; rank < worldSize; rank++) {
                            expected += value(rank, i);
                        }
                        float found = data.getAtIndex(ValueLayout.JAVA_FLOAT, i + 1);
                        assertEquals(Float.floatToIntBits(expected), Float.floatToIntBits(found), "element " + i);
                    }
                    assertEquals(0f, data.getAtIndex(ValueLayout.JAVA_FLOAT, 0));
                    assertEquals(0f, data.getAtIndex(ValueLayout.JAVA_FLOAT, elements + 1));
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldWorkInGroupsOfSomeRanks(World.Path path) throws Exception {
        try (World world = new World(path, 4, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                int[] group = endpoint.rank() % 2 == 0 ? new int[] {0, 2} : new int[] {1, 3};
                Collectives collectives = collectives(endpoint, group, arena);
                MemorySegment own = arena.allocate(8);
                MemorySegment every = arena.allocate(16);
                own.set(ValueLayout.JAVA_DOUBLE, 0, 1.5 * endpoint.rank());
                collectives.allGather(own, every);
                assertEquals(1.5 * group[0], every.get(ValueLayout.JAVA_DOUBLE, 0));
                assertEquals(1.5 * group[1], every.get(ValueLayout.JAVA_DOUBLE, 8));
                collectives.broadcast(1, own, 0, 8);
                assertEquals(1.5 * group[1], own.get(ValueLayout.JAVA_DOUBLE, 0));
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldEveryoneAtTheBarrier(World.Path path) throws Exception {
        AtomicInteger arrived = new AtomicInteger();
        try (World world = new World(path, 3, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(3), arena);
                for (int round = 1; round <= 20; round++) {
                    Thread.sleep(endpoint.rank() * 2L);
                    arrived.incrementAndGet();
                    collectives.barrier();
                    assertTrue(arrived.get() >= 3 * round, "left barrier " + round + " after " + arrived.get());
                    collectives.barrier();
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNoticeRanksThatCallDifferentOperations(World.Path path) throws Exception {
        try (World world = new World(path, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(2), arena);
                MemorySegment data = arena.allocate(16);
                assertThrows(TransportException.class, () -> {
                    if (endpoint.rank() == 0) {
                        collectives.broadcast(0, data, 0, 16);
                        collectives.barrier();
                    } else {
                        collectives.barrier();
                        collectives.barrier();
                    }
                });
            });
        }
    }
}
