package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PairwiseSumTest {
    private static final int[] SIZES = {0, 1, 15, 1023, 1024, 1025, 5003};

    private static float tree(float[][] values, int first, int count, int element) {
        return count == 1
                ? values[first][element]
                : tree(values, first, count / 2, element) + tree(values, first + count / 2, count / 2, element);
    }

    /** The bits of the tree, into memory of its own and into that of each source, and no other source touched. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void shouldAddAsABalancedTree(int ranks) {
        Random random = new Random(7);
        try (Arena arena = Arena.ofConfined()) {
            PairwiseSum sum = new PairwiseSum(arena.allocate(12 << 10, 64), ranks);
            for (int size : SIZES) {
                for (int into = 0; into <= ranks; into++) {
                    float[][] values = new float[ranks + 1][size];
                    MemorySegment[] memory = new MemorySegment[ranks + 1];
                    for (int i = 0; i <= ranks; i++) {
                        memory[i] = arena.allocate(4L * (size + ranks + 1), 4);
                        for (int j = 0; j < size; j++) {
                            values[i][j] = (random.nextFloat() - 0.5f) * (1 << random.nextInt(20));
                            memory[i].set(ValueLayout.JAVA_FLOAT, 4L * (i + j), values[i][j]);
                        }
                    }
                    MemorySegment[] sources = Arrays.copyOf(memory, ranks);
                    long[] offsets = new long[ranks];
                    for (int i = 0; i < ranks; i++) {
                        offsets[i] = 4L * i;
                    }
                    sum.sum(memory[into], 4L * into, sources, offsets, 4L * size);
                    for (int i = 0; i <= ranks; i++) {
                        for (int j = 0; j < size; j++) {
                            float expected = i == into ? tree(values, 0, ranks, j) : values[i][j];
                            assertEquals(expected, memory[i].get(ValueLayout.JAVA_FLOAT, 4L * (i + j)));
                        }
                    }
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNoTreeOrHasNoScratch() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment scratch = arena.allocate(8 << 10, 64);
            assertThrows(IllegalArgumentException.class, () -> new PairwiseSum(scratch, 1));
            assertThrows(IllegalArgumentException.class, () -> new PairwiseSum(scratch, 3));
            assertThrows(IllegalArgumentException.class, () -> new PairwiseSum(scratch, 8));
            PairwiseSum sum = new PairwiseSum(scratch, 4);
            MemorySegment[] two = {arena.allocate(4), arena.allocate(4)};
            assertThrows(IllegalArgumentException.class, () -> sum.sum(two[0], 0, two, new long[2], 4));
        }
    }
}
