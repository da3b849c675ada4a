package io.penstock.models.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class SequenceSamplerTest {
    /** Token i is i, in two bytes. */
    private static TokenSpan span(int size) {
        MemorySegment data = Arena.ofAuto().allocate(2L * size);
        for (int i = 0; i < size; i++) {
            data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
        }
        return new TokenSpan("training data", data, 2);
    }

    @Test
    void shouldVisitWindowsThatDoNotOverlapOnceAnEpoch() {
        for (int size : new int[] {9, 17, 18, 100, 1000, 40_000}) {
            SequenceSampler sampler = SequenceSampler.shuffled(span(size), 8, 5);
            for (long epoch = 0; epoch < 20; epoch++) {
                List<Long> offsets = new ArrayList<>();
                for (long i = 0; i < sampler.windows(); i++) {
                    offsets.add(sampler.offset(epoch * sampler.windows() + i));
                }
                offsets.sort(null);
                for (int i = 1; i < offsets.size(); i++) {
                    assertEquals(offsets.get(i - 1) + 8, offsets.get(i), "of " + size);
                }
                assertTrue(offsets.getFirst() >= 0, "of " + size);
                assertTrue(offsets.getLast() + 8 + 1 <= size, "of " + size);
            }
        }
    }

    @Test
    void shouldShuffleAnewAndStartElsewhereEveryEpoch() {
        SequenceSampler sampler = SequenceSampler.shuffled(span(10_000), 8, 5);
        long n = sampler.windows();
        int same = 0;
        int ascending = 0;
        for (long i = 0; i + 1 < n; i++) {
            same += sampler.offset(i) / 8 == sampler.offset(n + i) / 8 ? 1 : 0;
            ascending += sampler.offset(i) < sampler.offset(i + 1) ? 1 : 0;
        }
        assertTrue(same < 10, same + " of " + n + " windows at the same place");
        assertEquals(n / 2.0, ascending, 4 * Math.sqrt(n / 12.0));
        Set<Long> phases = new HashSet<>();
        for (long epoch = 0; epoch < 200; epoch++) {
            phases.add(sampler.offset(epoch * n) % 8);
        }
        assertEquals(8, phases.size());
        assertNotEquals(
                sampler.offset(0), SequenceSampler.shuffled(span(10_000), 8, 6).offset(0));
    }

    @Test
    void shouldFillTargetsWithTheTokensAfter() {
        SequenceSampler sampler = SequenceSampler.shuffled(span(1000), 8, 5);
        Tensor tokens = TestTensors.zeros(DType.I32, 3, 8);
        Tensor targets = TestTensors.zeros(DType.I32, 3, 8);
        sampler.fillTokens(tokens, 119);
        sampler.fillTargets(targets, 119);
        for (int b = 0; b < 3; b++) {
            for (int t = 0; t < 8; t++) {
                assertEquals(sampler.offset(119 + b) + t, (long) tokens.get(b * 8 + t));
                assertEquals(sampler.offset(119 + b) + t + 1, (long) targets.get(b * 8 + t));
            }
        }
    }

    @Test
    void shouldEvaluateInOrder() {
        SequenceSampler sampler = SequenceSampler.inOrder(span(33), 8);
        assertEquals(4, sampler.windows());
        assertEquals(24, sampler.offset(3));
        assertEquals(0, sampler.offset(4));
        assertEquals(3, SequenceSampler.inOrder(span(32), 8).windows());
    }

    @Test
    void shouldRefuseTooFewTokensWithNumbers() {
        var error = assertThrows(DataException.class, () -> SequenceSampler.shuffled(span(8), 8, 5));
        assertEquals(
                "training data has 8 tokens, fewer than one sequence of 8 and the token after it: 9",
                error.getMessage());
        SequenceSampler two = SequenceSampler.shuffled(span(25), 8, 5);
        var batch = assertThrows(DataException.class, () -> two.requireBatch(32));
        assertEquals(
                "training data has 2 sequences of 8 tokens (25 in all), fewer than a batch of 32", batch.getMessage());
    }

    @Test
    void shouldPermute() {
        for (long size : new long[] {1, 2, 3, 4, 5, 17, 64, 65, 1000}) {
            Set<Long> images = new HashSet<>();
            for (long i = 0; i < size; i++) {
                long image = new Permutation(size, 42).of(i);
                assertTrue(image >= 0 && image < size);
                images.add(image);
            }
            assertEquals(size, images.size());
        }
    }
}
