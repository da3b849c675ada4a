package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reductions of data that lie in memory which all ranks can read: summed from there, to the same bits. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DirectReduceTest {
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final long CHUNK_BYTES = 4096;

    /** f32 in rank order; counts how often it was given memory that it cannot write. */
    private static final class KeepingSum implements Reducer {
        private int readOnly;

        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public boolean keepsSources() {
            return true;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            for (MemorySegment source : sources) {
                readOnly += source.isReadOnly() ? 1 : 0;
            }
            for (long i = 0; i < length; i += 4) {
                float sum = sources[0].get(ValueLayout.JAVA_FLOAT, offsets[0] + i);
                for (int s = 1; s < sources.length; s++) {
                    sum += sources[s].get(ValueLayout.JAVA_FLOAT, offsets[s] + i);
                }
                to.set(ValueLayout.JAVA_FLOAT, at + i, sum);
            }
        }
    }

    private static Collectives collectives(Endpoint endpoint, Arena arena) {
        int ranks = endpoint.worldSize();
        MemorySegment scratch = arena.allocate(Collectives.scratchBytes(ranks, CHUNK_BYTES), 64);
        return new Collectives(endpoint, IntStream.range(0, ranks).toArray(), scratch);
    }

    /** Not exact in f32, so that another order of the sum shows. */
    private static float value(int rank, int index) {
        return (float) Math.sin(index * 1.7 + rank * 0.9) * (rank % 2 == 0 ? 1e4f : 1e-2f);
    }

    private static float expected(int ranks, int index) {
        float sum = value(0, index);
        for (int rank = 1; rank < ranks; rank++) {
            sum += value(rank, index);
        }
        return sum;
    }

    private static void fill(MemorySegment data, int rank, int elements) {
        for (int i = 0; i < elements; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i + 1, value(rank, i));
        }
    }

    private static void check(MemorySegment data, int ranks, int from, int to) {
        for (int i = from; i < to; i++) {
            int wanted = Float.floatToIntBits(expected(ranks, i));
            assertEquals(wanted, data.getAtIndex(ValueLayout.JAVA_INT, i + 1), "element " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"2,16384", "2,100003", "3,16385", "3,100003", "5,50001"})
    void shouldSumFromTheMemoryOfAllRanks(int ranks, int elements) throws Exception {
        try (World world = new World(World.Path.IPC, ranks, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                MemorySegment data = endpoint.allocate(4L * elements + 8).orElseThrow();
                KeepingSum sum = new KeepingSum();
                fill(data, endpoint.rank(), elements);
                collectives.allReduce(data, 4, 4L * elements, sum);
                check(data, ranks, 0, elements);
                assertEquals(0f, data.getAtIndex(ValueLayout.JAVA_FLOAT, 0));
                assertEquals(0f, data.getAtIndex(ValueLayout.JAVA_FLOAT, elements + 1));
                assertTrue(sum.readOnly > 0, "summed from copies");
            });
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void shouldScatterAndSendNothingButPlaces(int ranks) throws Exception {
        int elements = 40_000;
        try (World world = new World(World.Path.IPC, ranks, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                MemorySegment data = endpoint.allocate(4L * elements + 8).orElseThrow();
                int rank = endpoint.rank();
                fill(data, rank, elements);
                long before = endpoint.counters().total(Counter.BYTES_SENT);
                collectives.reduceScatter(data, 4, 4L * elements, new KeepingSum());
                assertEquals(8L * (ranks - 1), endpoint.counters().total(Counter.BYTES_SENT) - before);
                int begin = (int) Collectives.shardBegin(elements, ranks, rank);
                int end = (int) Collectives.shardBegin(elements, ranks, rank + 1);
                check(data, ranks, begin, end);
                for (int i = 0; i < elements; i++) {
                    if (i < begin || i >= end) {
                        assertEquals(value(rank, i), data.getAtIndex(ValueLayout.JAVA_FLOAT, i + 1), "element " + i);
                    }
                }
            });
        }
    }

    /** One rank's data are private, or all of them are checked: copies, and the same bits. */
    @ParameterizedTest
    @CsvSource({"false", "true"})
    void shouldSumCopiesWhereARankCannotReadAll(boolean checksum) throws Exception {
        int ranks = 3;
        int elements = 30_000;
        try (World world = new World(World.Path.IPC, ranks, SETTINGS.withChecksum(checksum));
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                boolean isPrivate = endpoint.rank() == 1 && !checksum;
                long bytes = 4L * elements + 8;
                MemorySegment data = isPrivate ? arena.allocate(bytes) : World.readable(endpoint, bytes, arena);
                KeepingSum sum = new KeepingSum();
                fill(data, endpoint.rank(), elements);
                collectives.allReduce(data, 4, 4L * elements, sum);
                check(data, ranks, 0, elements);
                assertEquals(0, sum.readOnly, "read in place");
            });
        }
    }

    /** Data change as soon as an operation is done: nobody may still be reading them, nor have read them too early. */
    @Test
    void shouldLetDataGoOnlyWhenAllHaveReadThem() throws Exception {
        int ranks = 3;
        int elements = 20_000;
        try (World world = new World(World.Path.IPC, ranks, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                MemorySegment data = endpoint.allocate(4L * elements).orElseThrow();
                KeepingSum sum = new KeepingSum();
                int own = endpoint.rank();
                int begin = (int) Collectives.shardBegin(elements, ranks, own);
                int end = (int) Collectives.shardBegin(elements, ranks, own + 1);
                for (int round = 0; round < 300; round++) {
                    boolean all = round % 2 == 0;
                    for (int i = 0; i < elements; i++) {
                        data.setAtIndex(ValueLayout.JAVA_FLOAT, i, round + own * 1000);
                    }
                    if (all) {
                        collectives.allReduce(data, 0, 4L * elements, sum);
                    } else {
                        collectives.reduceScatter(data, 0, 4L * elements, sum);
                    }
                    for (int i = all ? 0 : begin; i < (all ? elements : end); i++) {
                        float found = data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                        assertEquals(3f * round + 3000, found, "round " + round + ", element " + i);
                    }
                }
            });
        }
    }

    /** A rank ends in the middle of its sum, when all know where the data lie: the others wait for its shard, and hear of it. */
    @Test
    void shouldNameARankThatIsLostDuringTheSum() throws Exception {
        int ranks = 3;
        long bytes = 4L * 30_000;
        try (World world = new World(World.Path.IPC, ranks, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                MemorySegment data = endpoint.allocate(bytes).orElseThrow();
                if (endpoint.rank() == 2) {
                    Reducer failing = new FailingSum(endpoint);
                    assertThrows(IllegalStateException.class, () -> collectives.allReduce(data, 0, bytes, failing));
                    return;
                }
                PeerLostException lost = assertThrows(
                        PeerLostException.class, () -> collectives.allReduce(data, 0, bytes, new KeepingSum()));
                assertEquals(2, lost.rank());
                assertTrue(String.valueOf(lost.getMessage()).contains("no memory left"), lost.getMessage());
            });
        }
    }

    private record FailingSum(Endpoint endpoint) implements Reducer {
        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public boolean keepsSources() {
            return true;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            endpoint.announceFailure("no memory left");
            throw new IllegalStateException("no memory left");
        }
    }

    @Test
    void shouldAllocateNothing() throws Exception {
        int rounds = 2_000;
        long bytes = 64 << 10;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        AtomicLong allocated = new AtomicLong();
        try (World world = new World(World.Path.IPC, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Collectives collectives = collectives(endpoint, arena);
                MemorySegment data = endpoint.allocate(bytes).orElseThrow();
                KeepingSum sum = new KeepingSum();
                long before = 0;
                for (int round = 0; round < 2 * rounds; round++) {
                    if (round == rounds) {
                        before = threads.getCurrentThreadAllocatedBytes();
                    }
                    collectives.allReduce(data, 0, bytes, sum);
                }
                allocated.addAndGet(threads.getCurrentThreadAllocatedBytes() - before);
            });
        }
        // Less than a byte for each: what is left is the measurement itself.
        assertTrue(allocated.get() < rounds, allocated.get() + " bytes for " + 2 * rounds + " all-reduces");
    }
}
