package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * gelu(x) = 0.5 x (1 + tanh(u)) = x s, with u = sqrt(2/pi) (x + 0.044715 x^3) and s = 1 / (1 + e^(-2u)), which keeps the small values of large negative x
 * exact; gelu'(x) = s + x s (1 - s) 2 u'.
 */
final class Gelu {
    private static final long PIECE = 1 << 14;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long dy;
    private long x;
    private long elements;
    private DType type = DType.F32;

    Gelu(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y, Tensor x) {
        this.y = y.address();
        this.x = x.address();
        elements = x.elements();
        type = Lanes.type(x);
        workers.run(forwardTiles, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    void backward(Tensor dx, Tensor dy, Tensor x) {
        y = dx.address();
        this.dy = dy.address();
        this.x = x.address();
        elements = x.elements();
        type = Lanes.type(x);
        workers.run(backwardTiles, Math.toIntExact((elements + PIECE - 1) / PIECE));
    }

    private void forwardTile(int tile, int thread) {
        long from = tile * PIECE;
        long n = Math.min(PIECE, elements - from);
        switch (type) {
            case BF16 -> VectorGelu.activateBf16(y + 2 * from, x + 2 * from, n);
            case F16 -> activatePieces(from, n, workspace.area(thread));
            case F32, F64, I32 -> VectorGelu.activate(y + 4 * from, x + 4 * from, n);
        }
    }

    private void backwardTile(int tile, int thread) {
        long from = tile * PIECE;
        long n = Math.min(PIECE, elements - from);
        switch (type) {
            case BF16 -> VectorGelu.differentiateBf16(y + 2 * from, dy + 2 * from, x + 2 * from, n);
            case F16 -> differentiatePieces(from, n, workspace.area(thread));
            case F32, F64, I32 -> VectorGelu.differentiate(y + 4 * from, dy + 4 * from, x + 4 * from, n);
        }
    }

    private void activatePieces(long first, long n, long values) {
        for (long from = first; from < first + n; from += Workspace.PIECE) {
            long count = Math.min(Workspace.PIECE, first + n - from);
            VectorF16.widen(values, x + 2 * from, count);
            VectorGelu.activate(values, values, count);
            VectorF16.narrow(y + 2 * from, values, count);
        }
    }

    private void differentiatePieces(long first, long n, long values) {
        long gradients = values + Workspace.PIECE_BYTES;
        for (long from = first; from < first + n; from += Workspace.PIECE) {
            long count = Math.min(Workspace.PIECE, first + n - from);
            VectorF16.widen(values, x + 2 * from, count);
            VectorF16.widen(gradients, dy + 2 * from, count);
            VectorGelu.differentiate(gradients, gradients, values, count);
            VectorF16.narrow(y + 2 * from, gradients, count);
        }
    }
}
