package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** zero, copy, add and addAll: rows (or, where both sides are contiguous, pieces of one long row) shared out to the threads. */
final class Moves {
    private static final long PIECE = 1 << 15;

    private final Workers workers;
    private final Workspace workspace;
    private final Tiles zeroTiles = this::zeroTile;
    private final Tiles copyTiles = this::copyTile;
    private final Tiles addTiles = this::addTile;
    private final Tiles addAllTiles = this::addAllTile;

    private long y;
    private long x;
    private DType yType = DType.F32;
    private DType xType = DType.F32;
    private long yRowBytes;
    private long xRowBytes;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private Tensor[] terms = {};

    Moves(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void zero(Tensor x) {
        y = x.address();
        columns = x.bytes();
        workers.run(zeroTiles, tiles(columns, 4 * PIECE));
    }

    private static int tiles(long items, long perTile) {
        return Math.toIntExact((items + perTile - 1) / perTile);
    }

    private void zeroTile(int tile, int thread) {
        long from = tile * 4L * PIECE;
        long count = Math.min(4 * PIECE, columns - from);
        Vectors.zero(y + from, count / 4);
        for (long i = count / 4 * 4; i < count; i++) {
            Lanes.putByte(y + from + i, (byte) 0);
        }
    }

    void copy(Tensor y, Tensor x) {
        workers.run(copyTiles, plan(y, y.dtype(), x, x.dtype()));
    }

    void add(Tensor y, Tensor x) {
        workers.run(addTiles, plan(y, Lanes.type(y), x, Lanes.type(x)));
    }

    void addAll(Tensor y, Tensor[] terms) {
        this.y = y.address();
        this.terms = terms;
        yType = Lanes.type(y);
        columns = y.elements();
        workers.run(addAllTiles, tiles(columns, PIECE));
    }

    /** Sees both as rows: as they are, or as pieces of one row where they are contiguous. Returns the number of tiles. */
    private int plan(Tensor y, DType yType, Tensor x, DType xType) {
        this.y = y.address();
        this.x = x.address();
        this.yType = yType;
        this.xType = xType;
        if (y.isContiguous() && x.isContiguous()) {
            rows = 1;
            columns = x.elements();
            return tiles(columns, PIECE);
        }
        rows = x.shape().rows();
        columns = x.shape().last();
        yRowBytes = y.rowStride() * yType.bytes();
        xRowBytes = x.rowStride() * xType.bytes();
        rowsPerTile = Math.max(1, PIECE / Math.max(1, columns));
        return rows == 1 ? tiles(columns, PIECE) : tiles(rows, rowsPerTile);
    }

    private void copyTile(int tile, int thread) {
        if (rows == 1) {
            long from = tile * PIECE;
            copyRow(y + from * yType.bytes(), x + from * xType.bytes(), Math.min(PIECE, columns - from));
            return;
        }
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            copyRow(y + row * yRowBytes, x + row * xRowBytes, columns);
        }
    }

    private void copyRow(long y, long x, long n) {
        if (yType == xType) {
            MemorySegment.copy(Lanes.ALL, x, Lanes.ALL, y, n * xType.bytes());
        } else if (yType.isHalf() && xType == DType.F32) {
            Halves.narrow(yType, y, x, n);
        } else if (yType == DType.F32 && xType.isHalf()) {
            Halves.widen(xType, y, x, n);
        } else {
            for (long i = 0; i < n; i++) {
                set(yType, y, i, value(xType, x, i));
            }
        }
    }

    private void addTile(int tile, int thread) {
        long from = tile * PIECE;
        long n = Math.min(PIECE, columns - from);
        long to = y + from * yType.bytes();
        long addend = x + from * xType.bytes();
        if (yType == DType.F32) {
            Halves.addTo(xType, to, addend, n);
        } else if (yType == xType) {
            Halves.sum(yType, to, to, addend, n, workspace.area(thread));
        } else {
            Halves.add(yType, to, xType, addend, n, workspace.area(thread));
        }
    }

    private void addAllTile(int tile, int thread) {
        long sum = workspace.area(thread);
        long end = Math.min(columns, (tile + 1) * PIECE);
        for (long from = tile * PIECE; from < end; from += Workspace.PIECE) {
            long n = Math.min(Workspace.PIECE, end - from);
            long at = from * yType.bytes();
            Halves.toF32(yType, sum, terms[0].address() + at, n);
            for (int i = 1; i < terms.length; i++) {
                Halves.addTo(yType, sum, terms[i].address() + at, n);
            }
            Halves.fromF32(yType, y + at, sum, n);
        }
    }

    private static double value(DType dtype, long base, long index) {
        return switch (dtype) {
            case F32, BF16, F16 -> Lanes.get(dtype, base, index);
            case F64 -> Lanes.getF64(base, index);
            case I32 -> Lanes.getI32(base, index);
        };
    }

    private static void set(DType dtype, long base, long index, double value) {
        switch (dtype) {
            case F32, BF16, F16 -> Lanes.put(dtype, base, index, (float) value);
            case F64 -> Lanes.putF64(base, index, value);
            case I32 -> throw new IllegalStateException("no arithmetic on " + dtype);
        }
    }
}
