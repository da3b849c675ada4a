package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;

/** Rotary embedding: the kernel of rotary.cu, a thread for one pair of all heads of a row. */
final class Rotaries {
    private final Launcher launcher;
    private final Typed rotary;

    Rotaries(Launcher launcher) {
        this.launcher = launcher;
        rotary = Typed.of(launcher.gpu(), "rotary", "rotary");
    }

    /** {@code direction}: 1, or -1 to turn back. */
    void rotate(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta, int direction) {
        long rows = x_RC.shape().rows();
        long columns = x_RC.shape().last();
        launcher.begin()
                .put(y_RC)
                .put(x_RC)
                .put(y_RC.rowStride())
                .put(x_RC.rowStride())
                .put(rows)
                .put(Double.doubleToRawLongBits(Math.log(theta) / Math.log(2)))
                .put(Math.toIntExact(columns / headSize))
                .put(headSize)
                .put(sequence)
                .put(direction)
                .launchOver(rotary.of(x_RC.dtype()), rows * (headSize / 2));
    }
}
