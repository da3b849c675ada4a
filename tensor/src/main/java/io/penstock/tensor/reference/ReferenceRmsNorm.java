package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** RMS norm over C: y = x * rstd * gain, rstd = 1 / sqrt(mean(x^2) + eps). Zhang and Sennrich 2019. */
final class ReferenceRmsNorm {
    private ReferenceRmsNorm() {}

    static void forward(Tensor y_RC, Tensor rstd_R, Tensor x_RC, Tensor gain_C, float eps) {
        double[] x = Values.read(x_RC);
        double[] gain = Values.read(gain_C);
        int columns = gain.length;
        for (int r = 0; r < x.length / columns; r++) {
            int row = r * columns;
            double squares = 0;
            for (int c = 0; c < columns; c++) {
                squares += x[row + c] * x[row + c];
            }
            double rstd = 1 / Math.sqrt(squares / columns + eps);
            for (int c = 0; c < columns; c++) {
                y_RC.set(row + c, x[row + c] * rstd * gain[c]);
            }
            rstd_R.set(r, rstd);
        }
    }

    static void backward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor rstd_R) {
        double[] x = Values.read(x_RC);
        double[] dy = Values.read(dy_RC);
        double[] dresidual = dresidual_RC == null ? new double[x.length] : Values.read(dresidual_RC);
        double[] gain = Values.read(gain_C);
        int columns = gain.length;
        double[] dgain = new double[columns];
        for (int r = 0; r < x.length / columns; r++) {
            int row = r * columns;
            double rstd = rstd_R.get(r);
            // forward: n = x * rstd, y = n * gain
            double meanOfDnTimesN = 0;
            for (int c = 0; c < columns; c++) {
                double n = x[row + c] * rstd;
                meanOfDnTimesN += dy[row + c] * gain[c] * n / columns;
                dgain[c] += dy[row + c] * n;
            }
            for (int c = 0; c < columns; c++) {
                double n = x[row + c] * rstd;
                double dn = dy[row + c] * gain[c];
                dx_RC.set(row + c, dresidual[row + c] + rstd * (dn - n * meanOfDnTimesN));
            }
        }
        Values.accumulate(dgain_C, dgain);
    }
}
