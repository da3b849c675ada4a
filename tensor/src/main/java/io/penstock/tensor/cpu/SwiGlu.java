package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/** y = gate s up with s = 1 / (1 + e^-gate), and its gradients; BF16 and F16 through F32 pieces of a thread's area. */
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
    private DType type = DType.F32;

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
        type = Lanes.type(gate);
    }

    private void forwardTile(int tile, int thread) {
        long end = Math.min(elements, (tile + 1) * TILE);
        long scratch = workspace.area(thread);
        for (long from = tile * TILE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * type.bytes();
            long g = Halves.read(type, gate + at, scratch, n);
            long u = Halves.read(type, up + at, scratch + Workspace.PIECE_BYTES, n);
            VectorSwiGlu.activate(Halves.target(type, y + at, scratch), g, u, n);
            Halves.flush(type, y + at, scratch, n);
        }
    }

    private void backwardTile(int tile, int thread) {
        long end = Math.min(elements, (tile + 1) * TILE);
        long gates = workspace.area(thread);
        long ups = gates + Workspace.PIECE_BYTES;
        long gradients = ups + Workspace.PIECE_BYTES;
        for (long from = tile * TILE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * type.bytes();
            long g = Halves.read(type, gate + at, gates, n);
            long u = Halves.read(type, up + at, ups, n);
            long d = Halves.read(type, dy + at, gradients, n);
            // each result takes the place of the input it belongs to
            long toGate = Halves.target(type, dgate + at, gates);
            long toUp = Halves.target(type, dup + at, ups);
            VectorSwiGlu.differentiate(toGate, toUp, d, g, u, n);
            Halves.flush(type, dgate + at, gates, n);
            Halves.flush(type, dup + at, ups, n);
        }
    }
}
