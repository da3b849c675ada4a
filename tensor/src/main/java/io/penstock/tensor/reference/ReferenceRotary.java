package io.penstock.tensor.reference;

import io.penstock.tensor.Tensor;

/** Rotary position embedding: pair (h, h + H/2) of every head turns by t * theta^(-2h/H). Su et al. 2021, in Hugging Face's order. */
final class ReferenceRotary {
    private ReferenceRotary() {}

    /** {@code direction}: 1, or -1 to turn back. */
    static void rotate(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta, int direction) {
        double[] x = Values.read(x_RC);
        double[] y = new double[x.length];
        int columns = Math.toIntExact(x_RC.shape().last());
        int half = headSize / 2;
        for (int row = 0; row < x.length / columns; row++) {
            int t = row % sequence;
            for (int h = 0; h < half; h++) {
                double angle = direction * t * Math.pow(theta, -2.0 * h / headSize);
                double cosine = Math.cos(angle);
                double sine = Math.sin(angle);
                for (int head = row * columns; head < (row + 1) * columns; head += headSize) {
                    y[head + h] = x[head + h] * cosine - x[head + half + h] * sine;
                    y[head + half + h] = x[head + half + h] * cosine + x[head + h] * sine;
                }
            }
        }
        Values.write(y_RC, y);
    }
}
