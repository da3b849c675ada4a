package io.penstock.engine.optimizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LossScaleTest {
    private final LossScale scale = LossScale.of(DType.F16);

    private void keep(int steps) {
        for (int i = 0; i < steps; i++) {
            scale.keep();
        }
    }

    @Test
    void shouldDoubleAfterGoodStepsInARowAlone() {
        assertEquals(65536, scale.factor());
        keep(LossScale.GROWTH_STEPS - 1);
        assertEquals(65536, scale.factor());
        keep(1);
        assertEquals(131072, scale.factor());
        keep(LossScale.GROWTH_STEPS - 1);
        assertTrue(scale.skip());
        assertEquals(65536, scale.factor());
        keep(LossScale.GROWTH_STEPS - 1);
        assertEquals(new LossScale.State(65536, LossScale.GROWTH_STEPS - 1, 1), scale.state());
        keep(1);
        assertEquals(new LossScale.State(131072, 0, 1), scale.state());
    }

    @Test
    void shouldHalveToOneAndNoFurther() {
        for (int i = 0; i < 16; i++) {
            assertTrue(scale.skip(), "skip " + i);
        }
        assertEquals(1, scale.factor());
        assertFalse(scale.skip());
        assertEquals(new LossScale.State(1, 0, 16), scale.state());
        assertEquals(84, scale.updates(100));
    }

    @Test
    void shouldStopGrowing() {
        scale.resume(new LossScale.State(LossScale.MOST, LossScale.GROWTH_STEPS - 1, 0));
        keep(1);
        assertEquals(LossScale.MOST, scale.factor());
    }

    @Test
    void shouldBeOneForTypesThatNeedNone() {
        LossScale none = LossScale.of(DType.BF16);
        none.resume(new LossScale.State(1024, 3, 2));
        none.keep();
        assertEquals(1, none.factor());
        assertFalse(none.skip());
        // steps that another precision skipped were no updates
        assertEquals(8, none.updates(10));
        assertEquals(new LossScale.State(1024, 3, 2), none.state());
    }

    @ParameterizedTest
    @CsvSource({"0.5, 0, 0", "3, 0, 0", "8589934592, 0, 0", "NaN, 0, 0", "2, -1, 0", "2, 0, -1"})
    void shouldRefuseWhatIsNoState(double value, int goodSteps, int skipped) {
        assertThrows(IllegalArgumentException.class, () -> new LossScale.State(value, goodSteps, skipped));
    }
}
