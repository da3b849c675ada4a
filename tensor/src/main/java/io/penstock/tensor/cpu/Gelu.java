package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * gelu(x) = 0.5 x (1 + tanh(u)) = x s, with u = sqrt(2/pi) (x + 0.044715 x^3) and s = 1 / (1 + e^(-2u)), which keeps the small values of large negative x
 * exact; gelu'(x) = s + x s (1 - s) 2 u'.
 */
final class Gelu {
    private static final long PIECE = 1 << 14;

    /** -2 sqrt(2/pi), and that times 0.044715: -2u = x (A + B x^2); (2u)' = -(A + 3 B x^2). */
    private static final float A = -1.5957692f;

    private static final float B = -0.071354814f;

    /** e^(-2u) is cut here; s is then 1e-35, and x s is below the smallest step of anything it is added to. */
    private static final float LARGEST = 80f;

    private final Workers workers;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long dy;
    private long x;
    private long elements;
    private boolean half;

    Gelu(Workers workers) {
        this.workers = workers;
    }

    void forward(Tensor y, Tensor x) {
        this.y = y.address();
        this.x = x.address();
        elements = x.elements();
        half = Lanes.half(x);
        workers.run(forwardTiles, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    void backward(Tensor dx, Tensor dy, Tensor x) {
        y = dx.address();
        this.dy = dy.address();
        this.x = x.address();
        elements = x.elements();
        half = Lanes.half(x);
        workers.run(backwardTiles, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    private void forwardTile(int tile, int thread) {
        long from = tile * PIECE * Lanes.bytes(half);
        long n = Math.min(PIECE, elements - tile * PIECE);
        long bound = Lanes.bound(n);
        activate(y + from, x + from, bound, half);
        for (long i = bound; i < n; i++) {
            float v = Lanes.get(half, x + from, i);
            Lanes.put(half, y + from, i, v * sigmoid(v));
        }
    }

    private static void activate(long y, long x, long n, boolean half) {
        for (long i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(half, x, i);
            Lanes.store(half, y, i, v.mul(sigmoid(v)));
        }
    }

    private static FloatVector sigmoid(FloatVector x) {
        FloatVector exponent = x.mul(x.mul(x).mul(B).add(A));
        FloatVector cut = exponent.blend(LARGEST, exponent.compare(VectorOperators.GT, LARGEST));
        return FloatVector.broadcast(Lanes.FLOATS, 1f).div(Exp.of(cut).add(1f));
    }

    private static float sigmoid(float x) {
        float exponent = x * (x * x * B + A);
        return 1f / (Exp.of(exponent > LARGEST ? LARGEST : exponent) + 1f);
    }

    private void backwardTile(int tile, int thread) {
        long from = tile * PIECE * Lanes.bytes(half);
        long n = Math.min(PIECE, elements - tile * PIECE);
        long bound = Lanes.bound(n);
        differentiate(y + from, dy + from, x + from, bound, half);
        for (long i = bound; i < n; i++) {
            float v = Lanes.get(half, x + from, i);
            float s = sigmoid(v);
            float slope = v * (v * v * (-3 * B) - A);
            float derivative = Math.fma(slope * s, 1f - s, s);
            Lanes.put(half, y + from, i, Lanes.get(half, dy + from, i) * derivative);
        }
    }

    private static void differentiate(long dx, long dy, long x, long n, boolean half) {
        for (long i = 0; i < n; i += Lanes.COUNT) {
            FloatVector v = Lanes.load(half, x, i);
            FloatVector s = sigmoid(v);
            FloatVector slope = v.mul(v.mul(v).mul(-3 * B).sub(A));
            FloatVector derivative =
                    slope.mul(s).fma(FloatVector.broadcast(Lanes.FLOATS, 1f).sub(s), s);
            Lanes.store(half, dx, i, Lanes.load(half, dy, i).mul(derivative));
        }
    }
}
