package io.penstock.tensor.cpu;

import io.penstock.tensor.Tensor;

/** y = gate s up with s = 1 / (1 + e^-gate), and its gradients; BF16 through F32 pieces of a thread's area. */
final class SwiGlu {
    private static final long TILE = 1 << 14;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles forwardTiles = this::forwardTile;
    private final Tiles backwardTiles = this::backwardTile;

    private long y;
    private long dgate;
    private long dup;
    private long dy;
    private long gate;
    private long up;
    private long elements;
    private boolean half;

    SwiGlu(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void forward(Tensor y, Tensor gate, Tensor up) {
        this.y = y.address();
        inputs(gate, up);
        workers.run(forwardTiles, Math.toIntExact((elements + TILE - 1) / TILE));
    }

    void backward(Tensor dgate, Tensor dup, Tensor dy, Tensor gate, Tensor up) {
        this.dgate = dgate.address();
        this.dup = dup.address();
        this.dy = dy.address();
        inputs(gate, up);
        workers.run(backwardTiles, Math.toIntExact((elements + TILE - 1) / TILE));
    }

    private void inputs(Tensor gate, Tensor up) {
        this.gate = gate.address();
        this.up = up.address();
        elements = gate.elements();
        half = Lanes.half(gate);
    }

    private void forwardTile(int tile, int thread) {
        long end = Math.min(elements, (tile + 1) * TILE);
        long scratch = workspace.area(thread);
        for (long from = tile * TILE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * Lanes.bytes(half);
            long g = Bf16.read(half, gate + at, scratch, n);
            long u = Bf16.read(half, up + at, scratch + Workspace.PIECE_BYTES, n);
            VectorSwiGlu.activate(Bf16.target(half, y + at, scratch), g, u, n);
            Bf16.flush(half, y + at, scratch, n);
        }
    }

    private void backwardTile(int tile, int thread) {
        long end = Math.min(elements, (tile + 1) * TILE);
        long gates = workspace.area(thread);
        long ups = gates + Workspace.PIECE_BYTES;
        long gradients = ups + Workspace.PIECE_BYTES;
        for (long from = tile * TILE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * Lanes.bytes(half);
            long g = Bf16.read(half, gate + at, gates, n);
            long u = Bf16.read(half, up + at, ups, n);
            long d = Bf16.read(half, dy + at, gradients, n);
            // each result takes the place of the input it belongs to
            long toGate = Bf16.target(half, dgate + at, gates);
            long toUp = Bf16.target(half, dup + at, ups);
            VectorSwiGlu.differentiate(toGate, toUp, d, g, u, n);
            Bf16.flush(half, dgate + at, gates, n);
            Bf16.flush(half, dup + at, ups, n);
        }
    }
}
