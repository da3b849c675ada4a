package io.penstock.jmh;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What the machine allows an operation bound by memory: a copy that moves as many bytes, read and written counted together. */
@State(Scope.Benchmark)
public class CopyFloor {
    private OwnSide own;
    private Tensor from;
    private Tensor to;

    @Setup
    public void setup(OwnSide side) {
        own = side;
        from = side.memory.zeros(DType.F32, Shape.of(0));
        to = from;
    }

    void move(long bytes) {
        Shape shape = Shape.of(bytes / 2 / Float.BYTES);
        if (!from.shape().equals(shape)) {
            from = own.memory.zeros(DType.F32, shape);
            to = own.memory.zeros(DType.F32, shape);
        }
        own.backend.copy(to, from);
        own.backend.synchronize();
    }
}
