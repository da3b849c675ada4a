package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** The rows that a norm normalises: of x, or of x = a + b, which is made on the way. */
final class NormRows {
    private final Workspace workspace;

    private long sum;
    private long x;
    private long residual;
    private long columns;
    private DType type = DType.F32;

    NormRows(Workspace workspace) {
        this.workspace = workspace;
    }

    /** {@code residual}: 0 where {@code sum} is what is normalised; else that is to be overwritten by x + residual. */
    void plan(DType rowType, long sumAddress, long xAddress, long residualAddress, long rowColumns) {
        type = rowType;
        sum = sumAddress;
        x = xAddress;
        residual = residualAddress;
        columns = rowColumns;
        workspace.requireRows(type == DType.F32 ? 0 : 3, columns);
    }

    /** Makes a row, and returns it as {@link #values} does. */
    long begin(long row, int thread) {
        long at = row * columns * type.bytes();
        if (residual != 0) {
            Halves.sum(type, sum + at, x + at, residual + at, columns, workspace.area(thread) + 8 * columns);
        }
        // what is normalised is the sum as it was rounded
        long values = values(row, thread);
        if (type == DType.F16) {
            VectorF16.widen(values, sum + at, columns);
        }
        return values;
    }

    /** A row as the loops read it: where it lies, or F16 as F32, of which two rows are kept. */
    long values(long row, int thread) {
        return type == DType.F16
                ? workspace.area(thread) + (row & 1) * 4 * columns
                : sum + row * columns * type.bytes();
    }
}
