package io.penstock.tensor.cuda;

import io.penstock.tensor.Tensor;
import io.penstock.tensor.cuda.Launcher.Typed;
import org.jspecify.annotations.Nullable;

/** RMS norm and its gradient: kernels of rms.cu, a warp a row. */
final class RmsNorms {
    private static final int ROWS_OF_BLOCK = 8;

    private final Launcher launcher;
    private final Slices slices;
    private final Typed forward;
    private final Typed gradient;
    private final Typed gradientSlices;

    RmsNorms(Launcher launcher, Slices slices) {
        this.launcher = launcher;
        this.slices = slices;
        Gpu gpu = launcher.gpu();
        forward = Typed.of(gpu, "rms", "rms");
        gradient = Typed.of(gpu, "rms", "rms_gradient");
        gradientSlices = Typed.of(gpu, "rms", "rms_slices");
    }

    /** {@code sum_RC} and {@code residual_RC} together or not at all. */
    void forward(
            @Nullable Tensor sum_RC,
            Tensor y_RC,
            Tensor rstd_R,
            Tensor x_RC,
            @Nullable Tensor residual_RC,
            Tensor gain_C,
            float eps) {
        long rows = x_RC.shape().rows();
        launcher.begin()
                .put(sum_RC)
                .put(y_RC)
                .put(rstd_R)
                .put(x_RC)
                .put(residual_RC)
                .put(gain_C)
                .put(rows)
                .put(x_RC.shape().last())
                .put(eps)
                .put(0);
        launchRows(forward.of(x_RC.dtype()), rows);
    }

    void backward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor rstd_R) {
        long rows = x_RC.shape().rows();
        long columns = x_RC.shape().last();
        // Before dx, which may overwrite dy.
        long perSlice = slices.rowsPerSlice(rows, columns);
        long partials = launcher.scratch();
        launcher.begin()
                .put(partials)
                .put(dy_RC)
                .put(x_RC)
                .put(rstd_R)
                .put(rows)
                .put(columns)
                .put(perSlice);
        slices.launch(gradientSlices.of(x_RC.dtype()), rows, columns, perSlice, 1);
        slices.add(dgain_C, partials, columns, rows, perSlice, columns);
        launcher.begin()
                .put(dx_RC)
                .put(dy_RC)
                .put(dresidual_RC)
                .put(x_RC)
                .put(gain_C)
                .put(rstd_R)
                .put(rows)
                .put(columns);
        launchRows(gradient.of(x_RC.dtype()), rows);
    }

    private void launchRows(Gpu.Function kernel, long rows) {
        launcher.launch(kernel, Launcher.divideUp(rows, ROWS_OF_BLOCK), 1, 1, Launcher.THREADS, 0);
    }
}
