package io.penstock.jmh;

import io.penstock.jmh.peer.Libtorch;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What the machine allows an operation bound by arithmetic: libtorch's rate on a square product of 2048. */
@State(Scope.Benchmark)
public class SquareFloor {
    private static final int SIZE = 2048;
    private org.bytedeco.pytorch.Tensor square;

    @Setup
    public void setup(Setting setting) {
        Libtorch.threads(setting.threads);
        square = Libtorch.normal(1, setting.dtype, SIZE, SIZE);
    }

    /** Returns the operations done, in units of 1e9. */
    double multiply() {
        try (var _ = new PointerScope()) {
            torch.mm(square, square);
        }
        return 2e-9 * SIZE * SIZE * SIZE;
    }
}
