package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class DTypeTest {
    private static final long SEED = 11;

    @Test
    void shouldKeepEveryBf16() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = DType.fromBf16((short) bits);
            if (Float.isNaN(value)) {
                assertTrue(Float.isNaN(DType.fromBf16(DType.toBf16(value))), Integer.toHexString(bits));
            } else {
                assertEquals((short) bits, DType.toBf16(value), Integer.toHexString(bits));
            }
        }
    }

    @Test
    void shouldRoundToTheNearestAndTiesToEven() {
        assertEquals(1f, rounded(1 + 0x1p-8f));
        assertEquals(1 + 0x1p-6f, rounded(1 + 3 * 0x1p-8f));
        assertEquals(1 + 0x1p-7f, rounded(Math.nextUp(1 + 0x1p-8f)));
        assertEquals(-1f, rounded(-1 - 0x1p-8f));
        assertEquals(Float.POSITIVE_INFINITY, rounded(Float.MAX_VALUE));
        assertEquals(Float.NEGATIVE_INFINITY, rounded(Float.NEGATIVE_INFINITY));
    }

    @Test
    void shouldBeNearerThanEitherNeighbour() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < 20_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (!Float.isFinite(value) || Math.abs(value) > 3e38f) {
                continue;
            }
            short bits = DType.toBf16(value);
            BigDecimal distance = distance(value, bits);
            assertTrue(distance.compareTo(distance(value, (short) (bits + 1))) <= 0, value + " seed=" + SEED);
            if ((bits & 0x7fff) != 0) {
                assertTrue(distance.compareTo(distance(value, (short) (bits - 1))) <= 0, value + " seed=" + SEED);
            }
        }
    }

    @Test
    void shouldKeepNanOfEveryPayload() {
        for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000, 0x7f80ffff}) {
            float nan = Float.intBitsToFloat(bits);
            assertTrue(Float.isNaN(DType.fromBf16(DType.toBf16(nan))), Integer.toHexString(bits));
        }
    }

    @Test
    void shouldAccumulateInMoreThanBf16() {
        assertEquals(DType.F32, DType.BF16.accumulator());
        assertEquals(DType.F32, DType.F32.accumulator());
        assertEquals(DType.F64, DType.F64.accumulator());
    }

    private static float rounded(float value) {
        return DType.fromBf16(DType.toBf16(value));
    }

    private static BigDecimal distance(float value, short bits) {
        return new BigDecimal(value)
                .subtract(new BigDecimal(DType.fromBf16(bits)))
                .abs();
    }
}
