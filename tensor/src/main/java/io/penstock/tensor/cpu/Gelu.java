package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * gelu(x) = 0.5 x (1 + tanh(u)) = x s, with u = sqrt(2/pi) (x + 0.044715 x^3) and s = 1 / (1 + e^(-2u)), which keeps the small values of large negative x
 * exact; gelu'(x) = s + x s (1 - s) 2 u'. F16 goes through F32 pieces of a thread's area.
 */
final class Gelu {
    private static final long TILE = 1 << 14;

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
        workers.run(forwardTiles, Math.toIntExact((elements + TILE - 1) / TILE));
    }

    void backward(Tensor dx, Tensor dy, Tensor x) {
        y = dx.address();
        this.dy = dy.address();
        this.x = x.address();
        elements = x.elements();
        type = Lanes.type(x);
        workers.run(backwardTiles, Math.toIntExact((elements + TILE - 1) / TILE));
    }

    private void forwardTile(int tile, int thread) {
        long begin = tile * TILE;
        long end = Math.min(elements, begin + TILE);
        if (type == DType.BF16) {
            VectorGelu.activateBf16(y + 2 * begin, x + 2 * begin, end - begin);
            return;
        }
        long scratch = workspace.area(thread);
        for (long from = begin; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * type.bytes();
            long values = Halves.read(type, x + at, scratch, n);
            VectorGelu.activate(Halves.target(type, y + at, scratch), values, n);
            Halves.flush(type, y + at, scratch, n);
        }
    }

    private void backwardTile(int tile, int thread) {
        long begin = tile * TILE;
        long end = Math.min(elements, begin + TILE);
        if (type == DType.BF16) {
            VectorGelu.differentiateBf16(y + 2 * begin, dy + 2 * begin, x + 2 * begin, end - begin);
            return;
        }
        long scratch = workspace.area(thread);
        for (long from = begin; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * type.bytes();
            long values = Halves.read(type, x + at, scratch + Workspace.PIECE_BYTES, n);
            long gradients = Halves.read(type, dy + at, scratch, n);
            VectorGelu.differentiate(Halves.target(type, y + at, scratch), gradients, values, n);
            Halves.flush(type, y + at, scratch, n);
        }
    }
}
