package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the parts of a vocabulary give together is what the whole gives. */
final class VocabularyPartsTest {
    private static final int ROWS = 23;
    private static final int COLUMNS = 12;
    private static final int VOCABULARY = 41;
    /** Parts of 11, 10, 10, 10. */
    private static final int[] BORDERS = {0, 11, 21, 31, VOCABULARY};

    private static final float SCALE = 0.25f;

    @Test
    void shouldAddUpToTheWholeOnTheReference() {
        Backend backend = new ReferenceBackend();
        for (DType compute : List.of(DType.F64, DType.F32, DType.BF16)) {
            embedding(backend, compute);
            crossEntropy(backend, compute);
        }
    }

    @Test
    void shouldAddUpToTheWholeOnTheCpu() {
        try (Backend backend = new CpuBackend(2)) {
            for (DType compute : List.of(DType.F32, DType.BF16)) {
                embedding(backend, compute);
                crossEntropy(backend, compute);
            }
        }
    }

    /** Bit for bit: every row is one part's, to which zeros are added. */
    private static void embedding(Backend backend, DType compute) {
        Tensor tokens = TestTensors.randomInts(1, 0, VOCABULARY, ROWS);
        Tensor table = TestTensors.random(2, compute, VOCABULARY, COLUMNS);
        Tensor dy = TestTensors.random(3, compute, ROWS, COLUMNS);
        Tensor whole = TestTensors.zeros(compute, ROWS, COLUMNS);
        Tensor sum = TestTensors.zeros(compute, ROWS, COLUMNS);
        Tensor part = TestTensors.zeros(compute, ROWS, COLUMNS);
        Tensor dWhole = TestTensors.zeros(compute.accumulator(), VOCABULARY, COLUMNS);
        Tensor dParts = TestTensors.zeros(compute.accumulator(), VOCABULARY, COLUMNS);
        backend.embedding(whole, tokens, table, null, ROWS);
        backend.embeddingBackward(dWhole, null, dy, tokens, ROWS);
        for (int i = 0; i + 1 < BORDERS.length; i++) {
            int first = BORDERS[i];
            int count = BORDERS[i + 1] - first;
            backend.embeddingPart(part, tokens, table.slice(first, count), first);
            backend.add(sum, part);
            backend.embeddingPartBackward(dParts.slice(first, count), dy, tokens, first);
        }
        assertArrayEquals(TestTensors.values(whole), TestTensors.values(sum));
        assertArrayEquals(TestTensors.values(dWhole), TestTensors.values(dParts));
    }

    private static void crossEntropy(Backend backend, DType compute) {
        DType accumulator = compute.accumulator();
        double tolerance = switch (compute) {
            case F64 -> 1e-14;
            case F32 -> 1e-6;
            case BF16 -> 0x1p-8;
            case F16 -> 0x1p-11;
            case I32 -> throw new IllegalArgumentException();
        };
        Tensor logits = TestTensors.random(4, accumulator, ROWS, VOCABULARY);
        Tensor targets = TestTensors.randomInts(5, 0, VOCABULARY, ROWS);
        targets.set(7, -1);
        Tensor loss = TestTensors.zeros(accumulator, ROWS);
        Tensor dlogits = TestTensors.zeros(compute, ROWS, VOCABULARY);
        backend.crossEntropy(loss, dlogits, logits, targets, SCALE);
        List<Tensor> parts = new ArrayList<>();
        Tensor statistics = TestTensors.zeros(accumulator, BORDERS.length - 1, ROWS, 3);
        for (int i = 0; i + 1 < BORDERS.length; i++) {
            parts.add(logits.columns(BORDERS[i], BORDERS[i + 1] - BORDERS[i]));
            backend.softmaxPart(statistics.slice(i, 1), parts.get(i), targets, BORDERS[i]);
        }
        for (int i = 0; i < parts.size(); i++) {
            int first = BORDERS[i];
            Tensor lossOfPart = TestTensors.zeros(accumulator, ROWS);
            Tensor dPart = TestTensors.zeros(compute, ROWS, BORDERS[i + 1] - first);
            backend.crossEntropyPart(lossOfPart, dPart, parts.get(i), targets, statistics, first, SCALE);
            TestTensors.assertClose("loss of part " + i, lossOfPart, loss, 1e-6, 1e-6);
            Tensor expected = dlogits.columns(first, BORDERS[i + 1] - first);
            TestTensors.assertClose("gradient of part " + i, dPart, expected, tolerance, tolerance * SCALE);
        }
    }
}
