package io.penstock.engine.optimizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.engine.optimizer.LearningRateSchedule.Decay;
import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
    private static final int STEPS = 110;
    private static final int WARMUP = 10;

    private static LearningRateSchedule schedule(Decay decay) {
        return new LearningRateSchedule(2e-3, WARMUP, decay, 0.1, STEPS);
    }

    @Test
    void shouldRiseLinearly() {
        assertEquals(2e-4, schedule(Decay.COSINE).at(0), 1e-18);
        assertEquals(1e-3, schedule(Decay.COSINE).at(4), 1e-18);
        assertEquals(2e-3, schedule(Decay.COSINE).at(WARMUP - 1), 1e-18);
    }

    @Test
    void shouldFallAsTheCosineDoes() {
        for (int step = WARMUP; step <= STEPS; step++) {
            double progress = (step - WARMUP) / 100.0;
            double expected = 2e-3 * (0.1 + 0.9 * 0.5 * (1 + StrictMath.cos(Math.PI * progress)));
            assertEquals(expected, schedule(Decay.COSINE).at(step), 1e-17, "step " + step);
        }
    }

    @Test
    void shouldFallLinearlyOrStay() {
        assertEquals(2e-3 * 0.55, schedule(Decay.LINEAR).at(60), 1e-17);
        assertEquals(2e-3, schedule(Decay.CONSTANT).at(100), 0);
    }

    @Test
    void shouldStayAtTheEndAfterTheLastStep() {
        assertEquals(2e-4, schedule(Decay.COSINE).at(1000), 1e-17);
    }
}
