package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

final class ExpTest {
    @Test
    void shouldBeWithinTwoUlpAndTheSameAsVectorAndScalar() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(4L * Lanes.COUNT, 64);
            for (float x = -87.2f; x < 88; x += 0.01f * Lanes.COUNT) {
                for (int i = 0; i < Lanes.COUNT; i++) {
                    Lanes.putF32(segment.address(), i, x + 0.01f * i);
                }
                Exp.of(Lanes.loadF32(segment.address())).intoMemorySegment(Lanes.ALL, segment.address(), Lanes.ORDER);
                for (int i = 0; i < Lanes.COUNT; i++) {
                    float argument = x + 0.01f * i;
                    float vector = Lanes.getF32(segment.address(), i);
                    assertEquals(Float.floatToRawIntBits(Exp.of(argument)), Float.floatToRawIntBits(vector));
                    double exact = StrictMath.exp(argument);
                    double ulps = Math.abs(vector - exact) / Math.ulp((float) exact);
                    assertTrue(argument > 88 || ulps <= 2, "e^" + argument + " = " + vector + " is off by " + ulps);
                }
            }
        }
    }

    @Test
    void shouldVanishFarBelowZeroAndKeepNaN() {
        assertEquals(0f, Exp.of(-88f));
        assertEquals(0f, Exp.of(Float.NEGATIVE_INFINITY));
        assertEquals(1f, Exp.of(0f));
        assertEquals(1f, Exp.of(-0f));
        assertTrue(Float.isNaN(Exp.of(Float.NaN)));
    }
}
