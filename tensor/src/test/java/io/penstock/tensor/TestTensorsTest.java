package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The fixtures can fail. */
final class TestTensorsTest {
    @Test
    void shouldPrintWhereAndByHowMuchTensorsDiffer() {
        Tensor expected = TestTensors.of(DType.F32, 1, 2, 3, 4, 5, 6);
        Tensor actual = TestTensors.of(DType.F32, 1, 2, 3.5, 4.25, 5, 6);
        AssertionError error =
                assertThrows(AssertionError.class, () -> TestTensors.assertClose("y", actual, expected, 0, 0.25));
        String message = String.valueOf(error.getMessage());
        for (String part : new String[] {
            "y F32[6]", "index 2", "it is 3.5", "expected 3.0", "difference 0.5", "[1.0, 2.0, 3.5, 4.25, 5.0, ...]"
        }) {
            assertTrue(message.contains(part), message);
        }
        TestTensors.assertClose("y", actual, expected, 0, 0.5);
    }

    @Test
    void shouldTakeNanAndInfinityForNothingElse() {
        Tensor expected = TestTensors.of(DType.F32, Double.NaN, Double.POSITIVE_INFINITY, 1, 1);
        TestTensors.assertClose("same", TestTensors.copy(expected, DType.F32), expected, 0, 0);
        for (int i = 0; i < 3; i++) {
            Tensor finite = TestTensors.copy(expected, DType.F32);
            finite.set(i, 5);
            assertThrows(AssertionError.class, () -> TestTensors.assertClose("finite", finite, expected, 1e-3, 0));
            Tensor none = TestTensors.copy(expected, DType.F32);
            none.set(3, Double.NaN);
            assertThrows(AssertionError.class, () -> TestTensors.assertClose("none", none, expected, 1e-3, 9));
            assertThrows(AssertionError.class, () -> TestTensors.assertClose("none", expected, none, 1e-3, Double.NaN));
        }
    }

    @Test
    void shouldGiveOneSeedOneTensor() {
        assertArrayEquals(
                TestTensors.values(TestTensors.random(3, DType.F32, 2, 5)),
                TestTensors.values(TestTensors.random(3, DType.F64, 10)),
                1e-7);
    }

    @Test
    void shouldCatchAWrongGradient() {
        Tensor x = TestTensors.of(DType.F64, 0.5, 2);
        GradientCheck right = GradientCheck.of("square", () -> x.get(0) * x.get(0) + x.get(1) * x.get(1))
                .gradient("x", x, TestTensors.of(DType.F64, 1, 4));
        right.check(1e-8);
        GradientCheck wrong = GradientCheck.of("square", () -> x.get(0) * x.get(0) + x.get(1) * x.get(1))
                .gradient("x", x, TestTensors.of(DType.F64, 1, 4.00001));
        AssertionError error = assertThrows(AssertionError.class, () -> wrong.check(1e-8));
        assertTrue(String.valueOf(error.getMessage()).contains("index 1"), error.getMessage());
    }
}
