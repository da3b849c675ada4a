package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class TensorTableTest {
    @Test
    void shouldLayTensorsAtAlignedOffsets() {
        TensorTable table = TensorTable.builder()
                .add("a", DType.F32, Shape.of(7))
                .add("b", DType.BF16, Shape.of(3, 11))
                .add("c", DType.F64, Shape.of(8))
                .build();
        assertEquals(0, table.entry("a").offset());
        assertEquals(28, table.entry("a").bytes());
        assertEquals(64, table.entry("b").offset());
        assertEquals(66, table.entry("b").bytes());
        assertEquals(192, table.entry("c").offset());
        assertEquals(256, table.totalBytes());
    }

    @Test
    void shouldCountTheGapsOfStridedRows() {
        TensorTable table = TensorTable.builder()
                .addStrided("x", DType.F32, Shape.of(2, 3, 5), 16)
                .build();
        assertEquals(2 * 3 * 16 * 4, table.totalBytes());
        assertEquals(16, table.entry("x").rowStride());
    }

    @Test
    void shouldTakeOverATableUnderAPrefix() {
        TensorTable layer = TensorTable.builder()
                .add("gain", DType.F32, Shape.of(3))
                .addStrided("w", DType.BF16, Shape.of(2, 3), 8)
                .build();
        TensorTable model = TensorTable.builder()
                .addAll("h.0.", layer)
                .addAll("h.1.", layer)
                .build();
        assertEquals(2 * layer.totalBytes(), model.totalBytes());
        assertEquals(layer.totalBytes(), model.entry("h.1.gain").offset());
        assertEquals(8, model.entry("h.1.w").rowStride());
        assertTrue(model.contains("h.0.w"));
        assertFalse(model.contains("w"));
    }

    @Test
    void shouldNotGrowAfterItIsBuilt() {
        TensorTable.Builder builder = TensorTable.builder().add("a", DType.F32, Shape.of(1));
        TensorTable table = builder.build();
        builder.add("b", DType.F32, Shape.of(1));
        assertFalse(table.contains("b"));
        assertEquals(64, table.totalBytes());
    }

    @Test
    void shouldRefuseUnknownAndRepeatedNames() {
        TensorTable.Builder builder = TensorTable.builder().add("a", DType.F32, Shape.of(1));
        assertThrows(IllegalStateException.class, () -> builder.add("a", DType.F32, Shape.of(2)));
        TensorTable table = builder.build();
        assertThrows(IllegalStateException.class, () -> table.entry("b"));
    }

    @Test
    void shouldRefuseSizesPastALong() {
        assertThrows(
                ArithmeticException.class,
                () -> TensorTable.builder().add("a", DType.F64, Shape.of(1L << 31, 1L << 30)));
    }
}
