package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What the contract's refusals do not reach: overlaps, indices, messages, and that the checks are on. */
final class OperationChecksTest {
    @Test
    void shouldBeOnInTests() {
        assertTrue(Checks.ENABLED);
    }

    @Test
    void shouldTellBlocksOfColumnsApart() {
        Tensor x = TestTensors.zeros(DType.F32, 4, 10);
        assertFalse(Overlap.between(x.columns(0, 3), x.columns(3, 7)));
        assertFalse(Overlap.between(x.columns(3, 7), x.columns(0, 3)));
        assertTrue(Overlap.between(x.columns(0, 4), x.columns(3, 7)));
        assertTrue(Overlap.between(x.columns(3, 7), x.columns(0, 4)));
        assertFalse(Overlap.between(x.columns(0, 3).slice(0, 2), x.columns(0, 3).slice(2, 2)));
        assertTrue(Overlap.between(x.columns(0, 3).slice(0, 3), x.columns(0, 3).slice(2, 2)));
        assertFalse(Overlap.between(x.columns(0, 3).slice(1, 3), x.columns(5, 5).slice(0, 3)));
        assertTrue(Overlap.between(x, x.columns(9, 1)));
        assertFalse(Overlap.between(x, TestTensors.zeros(DType.F32, 4, 10)));
    }

    @Test
    void shouldKnowTheSameTensorUnderOtherDims() {
        Tensor x = TestTensors.zeros(DType.F32, 4, 10);
        assertTrue(Overlap.same(x, x.reshape(Shape.of(2, 2, 10))));
        assertFalse(Overlap.same(x, x.reshape(Shape.of(40))));
        assertFalse(Overlap.same(x, x.columns(0, 9)));
        assertFalse(Overlap.same(x.slice(0, 2), x.slice(1, 2)));
    }

    @Test
    void shouldPrintBothShapes() {
        Tensor a = TestTensors.zeros(DType.F32, 2, 3);
        Tensor c = TestTensors.zeros(DType.F32, 2, 4);
        IllegalStateException error = assertThrows(
                IllegalStateException.class,
                () -> OperationChecks.matmul(c, a, false, a, false, null, Write.OVERWRITE));
        assertEquals("b has shape [2, 3], expected 3 rows of 3", error.getMessage());
    }

    @Test
    void shouldRefuseIndicesOutsideTheVocabulary() {
        Tensor indices = TestTensors.of(DType.I32, 0, 4, -1, 5);
        OperationChecks.indices("targets", indices, 6, true);
        assertEquals("targets[3] = 5, expected below 5", refusal(indices, 5, true));
        assertEquals("targets[2] = -1, expected from 0 and below 6", refusal(indices, 6, false));
    }

    private static String refusal(Tensor indices, long limit, boolean negativeAllowed) {
        return String.valueOf(assertThrows(
                        IllegalStateException.class,
                        () -> OperationChecks.indices("targets", indices, limit, negativeAllowed))
                .getMessage());
    }

    @Test
    void shouldPrintInexactDivisions() {
        assertEquals(3, Checks.divideExact(12, "heads", 4, "tensor"));
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> Checks.divideExact(12, "heads", 5, "tensor"));
        assertTrue(String.valueOf(error.getMessage()).startsWith("heads=12 % tensor=5 = 2"), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new AttentionShape(1, 1, 12, 5, 8));
    }
}
