package io.penstock.models.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.models.Initialization;
import io.penstock.models.ParameterInitializer;
import io.penstock.models.ParameterSpec;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DistributionTest {
    /** A way to split, but for the rank. */
    private record Way(Shape whole, int dim, int blocks, int size) {
        Distribution.Split of(int index) {
            return new Distribution.Split(whole, dim, blocks, size, index);
        }
    }

    private static final List<Way> WAYS = List.of(
            new Way(Shape.of(7, 5), 0, 1, 3),
            new Way(Shape.of(7, 5), 1, 1, 4),
            new Way(Shape.of(4, 18), 1, 3, 2),
            new Way(Shape.of(4, 15), 1, 3, 2),
            new Way(Shape.of(18), 0, 3, 2),
            new Way(Shape.of(50257), 0, 1, 4),
            new Way(Shape.of(3, 4, 6), 1, 2, 2));

    @Test
    void shouldPutThePartsTogetherAsTheWhole() {
        for (Way way : WAYS) {
            Tensor whole = TestTensors.random(1, DType.F32, dims(way.whole));
            Tensor again = TestTensors.zeros(DType.F32, dims(way.whole));
            long elements = 0;
            for (int i = 0; i < way.size; i++) {
                Distribution.Split split = way.of(i);
                Tensor part = TestTensors.zeros(DType.F32, dims(split.shape()));
                split.copyFromWhole(part, whole);
                split.copyToWhole(again, part);
                for (long e = 0; e < part.elements(); e++) {
                    assertEquals(whole.get(split.wholeIndex(e)), part.get(e), way + " element " + e);
                }
                elements += part.elements();
            }
            assertEquals(whole.elements(), elements, way.toString());
            assertArrayEquals(TestTensors.values(whole), TestTensors.values(again), way.toString());
        }
    }

    @Test
    void shouldSplitEachOfQueryKeyAndValueByHeads() {
        // C = 4 of 2 heads of 2: columns 0-3 are q, 4-7 k, 8-11 v
        var split = new Distribution.Split(Shape.of(1, 12), 1, 3, 2, 1);
        assertEquals(Shape.of(1, 6), split.shape());
        long[] columns = new long[6];
        for (int i = 0; i < 6; i++) {
            columns[i] = split.wholeIndex(i);
        }
        assertArrayEquals(new long[] {2, 3, 6, 7, 10, 11}, columns);
    }

    @Test
    void shouldStartEveryPartAsTheWhole() {
        for (Way way : WAYS) {
            var whole = new ParameterSpec("w", way.whole, new Initialization.Normal(0.02), true, false);
            Tensor all = TestTensors.zeros(DType.F32, dims(way.whole));
            ParameterInitializer.fill(all, whole, 7);
            for (int i = 0; i < way.size; i++) {
                ParameterSpec spec = whole.part(way.of(i));
                Tensor part = TestTensors.zeros(DType.F32, dims(spec.shape()));
                Tensor expected = TestTensors.zeros(DType.F32, dims(spec.shape()));
                ParameterInitializer.fill(part, spec, 7);
                spec.distribution().copyFromWhole(expected, all);
                assertArrayEquals(TestTensors.values(expected), TestTensors.values(part), way.toString());
                assertEquals(way.whole, spec.wholeShape());
            }
        }
    }

    @Test
    void shouldRefuseMorePartsThanThereIs() {
        var error =
                assertThrows(IllegalArgumentException.class, () -> new Distribution.Split(Shape.of(9, 2), 0, 3, 4, 0));
        assertEquals("dim 0 of [9, 2] in 3 blocks is too small for 4 parts", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new Distribution.Split(Shape.of(9, 2), 1, 3, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> new TensorSplit(2, 2, false));
    }

    @Test
    void shouldShareOutRowsAsEvenlyAsItCan() {
        var split = new TensorSplit(4, 1, true);
        assertEquals(4, split.begin(14));
        assertEquals(4, split.part(14));
        assertEquals(3, new TensorSplit(4, 3, true).part(14));
        assertEquals(Shape.of(4, 10), split.held(2, 7, 10));
        assertEquals(Shape.of(2, 7, 10), new TensorSplit(4, 1, false).held(2, 7, 10));
        assertEquals(TensorSplit.WHOLE, new TensorSplit(1, 0, true));
    }

    private static long[] dims(Shape shape) {
        long[] dims = new long[shape.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = shape.dim(i);
        }
        return dims;
    }
}
