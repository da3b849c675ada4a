package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class ShapeTest {
    @Test
    void shouldCountRowsAndElements() {
        Shape shape = Shape.of(2, 3, 5);
        assertEquals(30, shape.elements());
        assertEquals(6, shape.rows());
        assertEquals(5, shape.last());
        assertEquals(1, Shape.of(5).rows());
        assertEquals(0, Shape.of(3, 0).rows());
        assertEquals(0, Shape.of(0, 3).rows());
    }

    @Test
    void shouldNotFollowTheCallersArray() {
        long[] dims = {2, 3};
        Shape shape = Shape.of(dims);
        dims[0] = 9;
        assertEquals(Shape.of(2, 3), shape);
        assertEquals(Shape.of(2, 3).hashCode(), shape.hashCode());
        assertNotEquals(Shape.of(6), shape);
        assertEquals("[2, 3]", shape.toString());
    }

    @Test
    void shouldRefuseWhatIsNoShape() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of());
        assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
        assertThrows(ArithmeticException.class, () -> Shape.of(1L << 32, 1L << 32));
    }
}
