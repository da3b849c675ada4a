package io.penstock.tensor.cpu;

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
    private boolean half;

    Gelu(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
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
        long scratch = workspace.area(thread);
        long end = Math.min(elements, (tile + 1) * PIECE);
        for (long from = tile * PIECE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long to = y + from * Lanes.bytes(half);
            long input = Bf16.read(half, x + from * Lanes.bytes(half), scratch, n);
            VectorGelu.activate(Bf16.target(half, to, scratch), input, n);
            Bf16.flush(half, to, scratch, n);
        }
    }

    private void backwardTile(int tile, int thread) {
        long scratch = workspace.area(thread);
        long other = scratch + Workspace.PIECE_BYTES;
        long sigmoids = other + Workspace.PIECE_BYTES;
        long end = Math.min(elements, (tile + 1) * PIECE);
        for (long from = tile * PIECE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long offset = from * Lanes.bytes(half);
            long input = Bf16.read(half, x + offset, scratch, n);
            long gradient = Bf16.read(half, dy + offset, other, n);
            VectorGelu.sigmoids(sigmoids, input, n);
            VectorGelu.differentiate(Bf16.target(half, y + offset, scratch), gradient, input, sigmoids, n);
            Bf16.flush(half, y + offset, scratch, n);
        }
    }
}
