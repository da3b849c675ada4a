package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Layer norm over C: y = (x - mean) * rstd * gain + bias, rstd = 1 / sqrt(mean((x - mean)^2) + eps). Ba, Kiros and Hinton 2016. */
final class ReferenceNorm {
    private ReferenceNorm() {}

    static void forward(
            Tensor y_RC, Tensor mean_R, Tensor rstd_R, Tensor x_RC, Tensor gain_C, Tensor bias_C, float eps) {
        double[] x = Values.read(x_RC);
        double[] gain = Values.read(gain_C);
        double[] bias = Values.read(bias_C);
        int columns = gain.length;
        for (int r = 0; r < x.length / columns; r++) {
            int row = r * columns;
            double mean = 0;
            for (int c = 0; c < columns; c++) {
                mean += x[row + c];
            }
            mean /= columns;
            double variance = 0;
            for (int c = 0; c < columns; c++) {
                variance += (x[row + c] - mean) * (x[row + c] - mean);
            }
            variance /= columns;
            double rstd = 1 / Math.sqrt(variance + eps);
            for (int c = 0; c < columns; c++) {
                y_RC.set(row + c, (x[row + c] - mean) * rstd * gain[c] + bias[c]);
            }
            mean_R.set(r, mean);
            rstd_R.set(r, rstd);
        }
    }

    /** sum = x + residual, rounded to sum's dtype. */
    static void add(Tensor sum_RC, Tensor x_RC, Tensor residual_RC) {
        for (long i = 0; i < sum_RC.elements(); i++) {
            sum_RC.set(i, x_RC.get(i) + residual_RC.get(i));
        }
    }

    static void backward(
            Tensor dx_RC,
            Tensor dgain_C,
            Tensor dbias_C,
            Tensor dy_RC,
            @Nullable Tensor dresidual_RC,
            Tensor x_RC,
            Tensor gain_C,
            Tensor mean_R,
            Tensor rstd_R) {
        double[] x = Values.read(x_RC);
        double[] dy = Values.read(dy_RC);
        double[] dresidual = dresidual_RC == null ? new double[x.length] : Values.read(dresidual_RC);
        double[] gain = Values.read(gain_C);
        int columns = gain.length;
        double[] dgain = new double[columns];
        double[] dbias = new double[columns];
        for (int r = 0; r < x.length / columns; r++) {
            int row = r * columns;
            double mean = mean_R.get(r);
            double rstd = rstd_R.get(r);
            // forward: n = (x - mean) * rstd, y = n * gain + bias
            double meanOfDn = 0;
            double meanOfDnTimesN = 0;
            for (int c = 0; c < columns; c++) {
                double n = (x[row + c] - mean) * rstd;
                double dn = dy[row + c] * gain[c];
                meanOfDn += dn / columns;
                meanOfDnTimesN += dn * n / columns;
                dgain[c] += dy[row + c] * n;
                dbias[c] += dy[row + c];
            }
            for (int c = 0; c < columns; c++) {
                double n = (x[row + c] - mean) * rstd;
                double dn = dy[row + c] * gain[c];
                dx_RC.set(row + c, dresidual[row + c] + rstd * (dn - meanOfDn - n * meanOfDnTimesN));
            }
        }
        Values.accumulate(dgain_C, dgain);
        Values.accumulate(dbias_C, dbias);
    }
}
