package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.tensor.DType;
import java.lang.foreign.Arena;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

final class LanesTest {
    /** Zero, the smallest, one and the number after it, the largest; each with its negative. */
    private static final int[] KEPT = {0x0000, 0x0001, 0x3f80, 0x3f81, 0x7f7f, 0x8000, 0x8001, 0xbf80, 0xbf81, 0xff7f};

    private static final int[] CUT = {0x0000, 0x0001, 0x7fff, 0x8000, 0x8001, 0xffff};
    private static final float[] WHOLE = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN};

    @Test
    void shouldRoundPairsAsSingleNumbers() {
        float[] values = values();
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(4L * Lanes.COUNT, 64).address();
            for (float even : values) {
                for (float odd : values) {
                    Lanes.storePairs(
                            address,
                            FloatVector.broadcast(Lanes.FLOATS, even),
                            FloatVector.broadcast(Lanes.FLOATS, odd));
                    for (int lane = 0; lane < Lanes.COUNT; lane++) {
                        String pair = even + ", " + odd + " in lane " + lane;
                        assertEquals(bits(even), Float.floatToRawIntBits(Lanes.getBf16(address, 2L * lane)), pair);
                        assertEquals(bits(odd), Float.floatToRawIntBits(Lanes.getBf16(address, 2L * lane + 1)), pair);
                    }
                }
            }
        }
    }

    private static int bits(float value) {
        return Float.floatToRawIntBits(DType.fromBf16(DType.toBf16(value)));
    }

    private static float[] values() {
        float[] values = new float[KEPT.length * CUT.length + WHOLE.length];
        int count = 0;
        for (int kept : KEPT) {
            for (int cut : CUT) {
                values[count++] = Float.intBitsToFloat(kept << 16 | cut);
            }
        }
        System.arraycopy(WHOLE, 0, values, count, WHOLE.length);
        return values;
    }
}
