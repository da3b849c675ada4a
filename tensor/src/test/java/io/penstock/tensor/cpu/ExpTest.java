package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

final class ExpTest {
    @Test
    void shouldRaiseTwoWithinTwoUlpAndTheSameAsVectorAndScalar() {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(4L * Lanes.COUNT, 64).address();
            for (float x = -126; x < 127; x += 0.01f * Lanes.COUNT) {
                for (int i = 0; i < Lanes.COUNT; i++) {
                    Lanes.putF32(address, i, x + 0.01f * i);
                }
                Lanes.storeF32(address, Exp.two(Lanes.loadF32(address)));
                for (int i = 0; i < Lanes.COUNT; i++) {
                    float argument = x + 0.01f * i;
                    float vector = Lanes.getF32(address, i);
                    assertEquals(Float.floatToRawIntBits(Exp.two(argument)), Float.floatToRawIntBits(vector));
                    double exact = StrictMath.pow(2, argument);
                    double ulps = Math.abs(vector - exact) / Math.ulp((float) exact);
                    assertTrue(argument > 127 || ulps <= 2, "2^" + argument + " = " + vector + " is off by " + ulps);
                }
            }
        }
    }

    @Test
    void shouldVanishFarBelowZeroAndKeepNaN() {
        assertEquals(0f, Exp.two(-126.5f));
        assertEquals(0f, Exp.two(Float.NEGATIVE_INFINITY));
        assertEquals(1f, Exp.two(-0f));
        assertTrue(Float.isNaN(Exp.two(Float.NaN)));
        assertTrue(Float.isNaN(Exp.two(Float.intBitsToFloat(0xffc00000))));
    }
}
