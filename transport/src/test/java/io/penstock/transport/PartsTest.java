package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operations on several pieces of one memory: as one operation on each, and nothing between them touched. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PartsTest {
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final int[] ELEMENTS = {1, 5000, 0, 40_003, 3};
    private static final int GAP = 2;
    private static final int ALL = GAP + IntStream.of(ELEMENTS).sum() + GAP * ELEMENTS.length;

    private static int first(int part) {
        int at = GAP;
        for (int i = 0; i < part; i++) {
            at += ELEMENTS[i] + GAP;
        }
        return at;
    }

    private static Parts parts() {
        return new Parts(
                IntStream.range(0, ELEMENTS.length)
                        .mapToLong(i -> 4L * first(i))
                        .toArray(),
                IntStream.of(ELEMENTS).mapToLong(n -> 4L * n).toArray());
    }

    private static float value(int rank, int i) {
        return (float) Math.sin(rank * 17 + i) * (1 << i % 11);
    }

    private static float sum(int ranks, int i) {
        float sum = 0;
        for (int rank = 0; rank < ranks; rank++) {
            sum += value(rank, i);
        }
        return sum;
    }

    /** Every element: the sum where a part's shard of ranks from {@code from} to {@code to} has it, else what it was. */
    private static void check(MemorySegment data, int rank, int ranks, int from, int to) {
        float[] expected = new float[ALL];
        for (int i = 0; i < ALL; i++) {
            expected[i] = value(rank, i);
        }
        for (int part = 0; part < ELEMENTS.length; part++) {
            int end = first(part) + (int) Collectives.shardBegin(ELEMENTS[part], ranks, to);
            for (int i = first(part) + (int) Collectives.shardBegin(ELEMENTS[part], ranks, from); i < end; i++) {
                expected[i] = sum(ranks, i);
            }
        }
        for (int i = 0; i < ALL; i++) {
            assertEquals(expected[i], data.getAtIndex(ValueLayout.JAVA_FLOAT, i), "element " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,2,false", "MEMORY,3,true", "IPC,2,true", "IPC,4,true", "IPC,3,false", "UDP,2,true"})
    void shouldTakeEachPartAndNothingBetween(World.Path path, int ranks, boolean readable) throws Exception {
        try (World world = new World(path, ranks, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                int rank = endpoint.rank();
                MemorySegment scratch = arena.allocate(Collectives.scratchBytes(ranks, 4096), 64);
                Collectives collectives =
                        new Collectives(endpoint, IntStream.range(0, ranks).toArray(), scratch);
                MemorySegment data =
                        readable ? World.readable(endpoint, 4L * ALL, arena) : arena.allocate(4L * ALL, 64);
                for (int i = 0; i < ALL; i++) {
                    data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value(rank, i));
                }
                long before = endpoint.counters().total(Counter.BYTES_SENT);
                collectives.await(collectives.startReduceScatter(data, parts(), new F32Sum(readable)));
                boolean direct = path == World.Path.IPC && readable;
                long sent = endpoint.counters().total(Counter.BYTES_SENT) - before;
                assertTrue(direct == (sent == 8L * (ranks - 1)), sent + " bytes sent");
                check(data, rank, ranks, rank, rank + 1);
                collectives.await(collectives.startAllGatherShards(data, parts(), 4));
                check(data, rank, ranks, 0, ranks);
            });
        }
    }

    /** A few bytes here and there are not worth a meeting, however far apart they are. */
    @Test
    void shouldCountThePartsAndNotTheGaps() {
        Parts parts = new Parts(new long[] {64, 1 << 20}, new long[] {128, 32});
        assertEquals(160, parts.bytes());
        assertEquals((1 << 20) + 32 - 64, parts.span());
    }

    @Test
    void shouldRefusePartsThatAreNone() {
        assertThrows(IllegalArgumentException.class, () -> new Parts(new long[0], new long[0]));
        assertThrows(IllegalArgumentException.class, () -> new Parts(new long[] {0, 8}, new long[] {12, 8}));
        assertThrows(IllegalArgumentException.class, () -> new Parts(new long[] {0}, new long[] {-4}));
        assertThrows(IllegalArgumentException.class, () -> new Parts(new long[] {0}, new long[] {6}).checkElements(4));
    }
}
