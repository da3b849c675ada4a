package io.penstock.tensor;

/** Tensors by name: a carved memory, or a part of one. */
@FunctionalInterface
public interface TensorSource {
    /** Throws {@link IllegalStateException} for a name that is not there. */
    Tensor tensor(String name);

    /** Has no tensor at all. */
    TensorSource NONE = name -> {
        throw new IllegalStateException("no tensor '" + name + "' here");
    };

    /** The tensors whose names begin with {@code prefix}, under the rest of their names. */
    default TensorSource under(String prefix) {
        return name -> tensor(prefix + name);
    }
}
