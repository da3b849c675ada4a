package io.penstock.models.weights;

import io.penstock.tensor.Shape;

/** One tensor of a safetensors file. {@code offset} counts bytes from the start of the file. A scalar has shape [1]. */
public record StoredTensor(String name, ElementType type, Shape shape, long offset) {
    public long bytes() {
        return Math.multiplyExact(shape.elements(), (long) type.bytes());
    }
}
