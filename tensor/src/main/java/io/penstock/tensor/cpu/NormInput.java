package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** The last step of both norms' gradients: dx = dresidual + rstd dy gain + slope (x - mean) + shift of one row. */
final class NormInput {
    private NormInput() {}

    /**
     * Overwrites dx, of {@code type}; dresidual, of it too, may be 0 for none. dy and x are BF16 if the type is, else F32; gain is that of {@link SplitVectors}; {@code scratch}
     * is room for a row of F16 as F32.
     */
    static void row(
            DType type,
            long dx,
            long dresidual,
            long dy,
            long x,
            long gain,
            float mean,
            float rstd,
            float slope,
            float shift,
            long columns,
            long scratch) {
        if (type == DType.BF16) {
            if (dresidual == 0) {
                VectorNormBf16.gradient(dx, dy, x, gain, mean, rstd, slope, shift, columns);
            } else {
                VectorNormBf16.gradientAndResidual(dx, dresidual, dy, x, gain, mean, rstd, slope, shift, columns);
            }
            return;
        }
        long to = Halves.target(type, dx, scratch);
        if (dresidual == 0) {
            VectorNorm.gradient(to, dy, x, gain, mean, rstd, slope, shift, columns);
        } else {
            long skip = Halves.read(type, dresidual, scratch, columns);
            VectorNorm.gradientAndResidual(to, skip, dy, x, gain, mean, rstd, slope, shift, columns);
        }
        Halves.flush(type, dx, scratch, columns);
    }
}
