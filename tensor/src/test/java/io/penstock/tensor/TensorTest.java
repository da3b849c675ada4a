package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

final class TensorTest {
    @Test
    void shouldSeeColumnsOfEveryRow() {
        Tensor columns = counted(3, 4).columns(1, 2);
        assertEquals(Shape.of(3, 2), columns.shape());
        assertEquals(4, columns.rowStride());
        assertFalse(columns.isContiguous());
        assertArrayEquals(new double[] {1, 2, 5, 6, 9, 10}, TestTensors.values(columns));
    }

    @Test
    void shouldSeeColumnsOfColumnsAndRowsOfColumns() {
        Tensor columns = counted(3, 4).columns(1, 3);
        assertArrayEquals(new double[] {2, 3, 6, 7, 10, 11}, TestTensors.values(columns.columns(1, 2)));
        assertArrayEquals(new double[] {5, 6, 7, 9, 10, 11}, TestTensors.values(columns.slice(1, 2)));
    }

    @Test
    void shouldSliceTheOutermostDim() {
        Tensor x = counted(2, 3, 2);
        Tensor second = x.slice(1, 1);
        assertEquals(Shape.of(1, 3, 2), second.shape());
        assertArrayEquals(new double[] {6, 7, 8, 9, 10, 11}, TestTensors.values(second));
        assertArrayEquals(new double[] {3, 4}, TestTensors.values(counted(6).slice(3, 2)));
    }

    @Test
    void shouldShareMemoryWithItsViews() {
        Tensor x = counted(3, 4);
        x.columns(2, 1).set(1, 100);
        x.slice(2, 1).set(0, 200);
        x.reshape(Shape.of(12)).set(0, 300);
        assertArrayEquals(new double[] {300, 1, 2, 3, 4, 5, 100, 7, 200, 9, 10, 11}, TestTensors.values(x));
    }

    @Test
    void shouldRefuseViewsThatAreNotThere() {
        Tensor x = counted(3, 4);
        assertThrows(IllegalArgumentException.class, () -> x.columns(3, 2));
        assertThrows(IllegalArgumentException.class, () -> x.columns(-1, 2));
        assertThrows(IllegalArgumentException.class, () -> x.slice(2, 2));
        assertThrows(IllegalArgumentException.class, () -> x.reshape(Shape.of(11)));
        assertThrows(IllegalArgumentException.class, () -> x.columns(0, 2).reshape(Shape.of(6)));
    }

    @Test
    void shouldRefuseASegmentThatIsTooSmall() {
        MemorySegment segment = Arena.ofAuto().allocate(4 * (2 * 5 + 3), 4);
        assertEquals(
                3 * 3, Tensor.strided(segment, DType.F32, Shape.of(3, 3), 5).elements());
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class, () -> Tensor.strided(segment, DType.F32, Shape.of(3, 3), 6));
        assertTrue(
                String.valueOf(error.getMessage()).contains("needs 60 bytes, its segment has 52"), error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Tensor.strided(segment, DType.F32, Shape.of(3, 3), 2));
    }

    @Test
    void shouldCallOneRowContiguousWhateverItsStride() {
        assertTrue(counted(1, 4).columns(1, 2).isContiguous());
        assertTrue(counted(3, 4).isContiguous());
    }

    @Test
    void shouldRoundToItsDtype() {
        for (DType dtype : DType.values()) {
            Tensor x = TestTensors.of(dtype, 3, -7);
            assertArrayEquals(new double[] {3, -7}, TestTensors.values(x));
            assertEquals(2L * dtype.bytes(), x.bytes());
        }
        assertEquals((float) 0.1, TestTensors.of(DType.F32, 0.1).get(0));
        assertEquals(0.10009765625, TestTensors.of(DType.BF16, 0.1).get(0));
        assertEquals(0.1, TestTensors.of(DType.F64, 0.1).get(0));
    }

    private static Tensor counted(long... dims) {
        Tensor x = TestTensors.zeros(DType.F32, dims);
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, (double) i);
        }
        return x;
    }
}
