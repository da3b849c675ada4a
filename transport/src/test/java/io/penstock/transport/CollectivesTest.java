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
                    collectives.allReduce(data, 4, 4L * elements, new F32Sum(false));
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

    /** bf16, summed in f32 and rounded once, to nearest even. */
    private static final class Bf16Sum implements Reducer {
        @Override
        public int elementBytes() {
            return 2;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            for (long i = 0; i < length; i += 2) {
                float sum = 0;
                for (int s = 0; s < sources.length; s++) {
                    sum += widened(sources[s].get(ValueLayout.JAVA_SHORT, offsets[s] + i));
                }
                to.set(ValueLayout.JAVA_SHORT, at + i, rounded(sum));
            }
        }

        static float widened(short bf16) {
            return Float.intBitsToFloat(bf16 << 16);
        }

        static short rounded(float value) {
            int bits = Float.floatToRawIntBits(value);
            return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
        }
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,3", "IPC,3"})
    void shouldSumBf16InF32(World.Path path, int worldSize) throws Exception {
        int elements = 4099;
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                MemorySegment data = arena.allocate(2L * elements);
                for (int i = 0; i < elements; i++) {
                    data.setAtIndex(ValueLayout.JAVA_SHORT, i, Bf16Sum.rounded(value(endpoint.rank(), i)));
                }
                collectives.allReduce(data, 0, 2L * elements, new Bf16Sum());
                for (int i = 0; i < elements; i++) {
                    float sum = 0;
                    for (int rank = 0; rank < worldSize; rank++) {
                        sum += Bf16Sum.widened(Bf16Sum.rounded(value(rank, i)));
                    }
                    assertEquals(Bf16Sum.rounded(sum), data.getAtIndex(ValueLayout.JAVA_SHORT, i), "element " + i);
                }
            });
        }
    }

    /** A balanced tree over the ranks, whose partial sums stay in the memory of the sources. */
    private static final class F32Tree implements Reducer {
        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            for (long i = 0; i < length; i += 4) {
                for (int distance = 1; distance < sources.length; distance *= 2) {
                    for (int s = 0; s + distance < sources.length; s += 2 * distance) {
                        float sum = sources[s].get(ValueLayout.JAVA_FLOAT, offsets[s] + i)
                                + sources[s + distance].get(ValueLayout.JAVA_FLOAT, offsets[s + distance] + i);
                        sources[s].set(ValueLayout.JAVA_FLOAT, offsets[s] + i, sum);
                    }
                }
                to.set(ValueLayout.JAVA_FLOAT, at + i, sources[0].get(ValueLayout.JAVA_FLOAT, offsets[0] + i));
            }
        }

        static float sum(int element, int from, int ranks) {
            if (ranks == 1) {
                return value(from, element);
            }
            int half = Integer.highestOneBit(ranks - 1);
            return sum(element, from, half) + sum(element, from + half, ranks - half);
        }
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,2", "MEMORY,3", "MEMORY,4", "MEMORY,7", "MEMORY,8", "IPC,2", "IPC,4", "IPC,8", "UDP,4"})
    void shouldSumInTheTreeOfTheReducer(World.Path path, int worldSize) throws Exception {
        int elements = 20_011;
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                MemorySegment data = World.readable(endpoint, 4L * elements, arena);
                for (int i = 0; i < elements; i++) {
                    data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value(endpoint.rank(), i));
                }
                Operation operation = collectives.startAllReduce(data, 0, 4L * elements, new F32Tree());
                while (!collectives.poll()) {
                    Thread.onSpinWait();
                }
                assertTrue(collectives.isDone(operation));
                collectives.await(operation);
                for (int i = 0; i < elements; i++) {
                    assertEquals(
                            F32Tree.sum(i, 0, worldSize), data.getAtIndex(ValueLayout.JAVA_FLOAT, i), "element " + i);
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReduceInTwoHalvesAsInOne(World.Path path) throws Exception {
        int worldSize = 3;
        int elements = 30_000;
        long bytes = 4L * elements;
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                MemorySegment whole = arena.allocate(bytes);
                MemorySegment halves = arena.allocate(bytes);
                for (int i = 0; i < elements; i++) {
                    whole.setAtIndex(ValueLayout.JAVA_FLOAT, i, value(endpoint.rank(), i));
                }
                halves.copyFrom(whole);
                collectives.allReduce(whole, 0, bytes, new F32Sum(false));
                long before = endpoint.counters().total(Counter.BYTES_SENT);
                long beforeIn = endpoint.counters().total(Counter.BYTES_RECEIVED);
                collectives.reduceScatter(halves, 0, bytes, new F32Sum(false));
                long share = bytes / worldSize * (worldSize - 1);
                assertEquals(share, endpoint.counters().total(Counter.BYTES_SENT) - before, "(n-1)/n out");
                assertEquals(share, endpoint.counters().total(Counter.BYTES_RECEIVED) - beforeIn, "(n-1)/n in");
                collectives.allGatherShards(halves, 0, bytes, 4);
                assertEquals(2 * share, endpoint.counters().total(Counter.BYTES_SENT) - before);
                assertEquals(-1, whole.mismatch(halves));
            });
        }
    }

    /** Buckets of gradients while the rank computes: started one by one, polled now and then, awaited at the end. */
    @ParameterizedTest
    @EnumSource
    void shouldRunWhileTheRankComputes(World.Path path) throws Exception {
        int worldSize = 3;
        int buckets = 9;
        int elements = 20_011;
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                MemorySegment data = arena.allocate(4L * elements * buckets);
                Operation[] operations = new Operation[buckets];
                for (int bucket = 0; bucket < buckets; bucket++) {
                    for (int i = 0; i < elements; i++) {
                        int index = bucket * elements + i;
                        data.setAtIndex(ValueLayout.JAVA_FLOAT, index, value(endpoint.rank(), index));
                    }
                    long offset = 4L * elements * bucket;
                    operations[bucket] = collectives.startAllReduce(data, offset, 4L * elements, new F32Sum(false));
                    // Each rank polls at moments of its own.
                    for (int i = 0; i < (bucket + endpoint.rank()) % 3; i++) {
                        collectives.poll();
                    }
                }
                collectives.await(operations[0]);
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (!collectives.poll()) {
                    assertTrue(System.nanoTime() < deadline, "not done by polling alone");
                    Thread.sleep(1);
                }
                for (int bucket = 1; bucket < buckets; bucket++) {
                    assertTrue(collectives.isDone(operations[bucket]), "bucket " + bucket);
                    collectives.await(operations[bucket]);
                }
                for (int index = 0; index < elements * buckets; index++) {
                    float expected = value(0, index) + value(1, index) + value(2, index);
                    assertEquals(expected, data.getAtIndex(ValueLayout.JAVA_FLOAT, index), "element " + index);
                }
                Operation last = operations[buckets - 1];
                assertThrows(IllegalStateException.class, () -> collectives.await(last));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,1", "MEMORY,4", "IPC,4", "UDP,3"})
    void shouldBroadcastInAChainAndGather(World.Path path, int worldSize) throws Exception {
        long[] sizes = {0, 1, 5, (1 << 20) - 1, 1 << 20, (5 << 20) + 3};
        try (World world = new World(path, worldSize, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, all(worldSize), arena);
                for (int root = 0; root < worldSize; root++) {
                    for (long size : sizes) {
                        MemorySegment data = arena.allocate(size + 2);
                        MemorySegment expected = arena.allocate(size + 2);
                        for (long i = 1; i <= size; i += 511) {
                            expected.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7 + root));
                        }
                        if (endpoint.rank() == root) {
                            data.copyFrom(expected);
                        }
                        long sent = endpoint.counters().total(Counter.BYTES_SENT);
                        collectives.broadcast(root, data, 1, size);
                        assertEquals(-1, data.mismatch(expected));
                        boolean last = (endpoint.rank() + 1) % worldSize == root;
                        assertEquals(
                                last ? 0 : size,
                                endpoint.counters().total(Counter.BYTES_SENT) - sent,
                                "every rank gives the data on once");
                    }
                    MemorySegment block = arena.allocate(16);
                    block.set(ValueLayout.JAVA_LONG, 8, endpoint.rank() * 3L + root);
                    MemorySegment result = arena.allocate(16L * worldSize);
                    collectives.gather(root, block, result);
                    for (int rank = 0; rank < worldSize; rank++) {
                        long found = result.get(ValueLayout.JAVA_LONG, 16L * rank + 8);
                        assertEquals(endpoint.rank() == root ? rank * 3L + root : 0, found);
                    }
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
