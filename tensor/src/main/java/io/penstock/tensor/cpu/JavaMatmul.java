package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * A product by the Vector API (Goto and van de Geijn 2008): blocks of both factors are copied to f32 panels that stay in cache, four rows by two vectors
 * of c stay in registers. Sums run over k in order within {@link #DEPTH}, and over those blocks in order.
 */
final class JavaMatmul extends MatmulKernel {
    private static final int ROWS = 64;
    private static final int COLUMNS = 64;
    private static final int DEPTH = 256;
    private static final int PANEL_ROWS = 4;
    private static final int PANEL_COLUMNS = 2 * Lanes.COUNT;

    private static final long PACKED_A_BYTES = 4L * ROWS * DEPTH;
    private static final long PACKED_B_BYTES = 4L * COLUMNS * DEPTH;

    private final Workspace workspace;

    JavaMatmul(MatmulShape shape, Workspace workspace) {
        super(shape);
        this.workspace = workspace;
    }

    @Override
    void run(int thread, long a, long b, long c, long bias) {
        long packedA = workspace.matmul(thread);
        long packedB = packedA + PACKED_A_BYTES;
        long block = packedB + PACKED_B_BYTES;
        for (int column = 0; column < shape.n(); column += COLUMNS) {
            int columns = Math.min(COLUMNS, shape.n() - column);
            for (int row = 0; row < shape.m(); row += ROWS) {
                int rows = Math.min(ROWS, shape.m() - row);
                Lanes.zeroF32(block, ROWS * COLUMNS);
                for (int from = 0; from < shape.k(); from += DEPTH) {
                    int depth = Math.min(DEPTH, shape.k() - from);
                    packA(packedA, a, row, rows, from, depth);
                    packB(packedB, b, column, columns, from, depth);
                    multiply(block, packedA, packedB, rows, columns, depth);
                }
                write(c, bias, block, row, rows, column, columns);
            }
        }
    }

    /** Panels of four rows, [panel][depth][4], padded with zeros. */
    private void packA(long packed, long a, int row, int rows, int from, int depth) {
        boolean half = shape.half();
        long rowStep = shape.transposeA() ? 1 : shape.lda();
        long depthStep = shape.transposeA() ? shape.lda() : 1;
        for (int i = 0; i < roundUp(rows, PANEL_ROWS); i++) {
            long to = packed + 4L * ((long) (i / PANEL_ROWS) * PANEL_ROWS * depth + i % PANEL_ROWS);
            long source = (row + i) * rowStep + from * depthStep;
            for (int p = 0; p < depth; p++) {
                Lanes.putF32(to, (long) p * PANEL_ROWS, i < rows ? Lanes.get(half, a, source + p * depthStep) : 0);
            }
        }
    }

    /** Panels of two vectors' columns, [panel][depth][2 vectors], padded with zeros. */
    private void packB(long packed, long b, int column, int columns, int from, int depth) {
        boolean half = shape.half();
        long columnStep = shape.transposeB() ? shape.ldb() : 1;
        long depthStep = shape.transposeB() ? 1 : shape.ldb();
        for (int j = 0; j < roundUp(columns, PANEL_COLUMNS); j++) {
            long to = packed + 4L * ((long) (j / PANEL_COLUMNS) * PANEL_COLUMNS * depth + j % PANEL_COLUMNS);
            long source = (column + j) * columnStep + from * depthStep;
            for (int p = 0; p < depth; p++) {
                Lanes.putF32(
                        to, (long) p * PANEL_COLUMNS, j < columns ? Lanes.get(half, b, source + p * depthStep) : 0);
            }
        }
    }

    private static int roundUp(int n, int multiple) {
        return (n + multiple - 1) / multiple * multiple;
    }

    private static void multiply(long block, long packedA, long packedB, int rows, int columns, int depth) {
        for (int j = 0; j < columns; j += PANEL_COLUMNS) {
            long panelB = packedB + 4L * j * depth;
            for (int i = 0; i < rows; i += PANEL_ROWS) {
                multiplyPanel(block + 4L * (i * COLUMNS + j), packedA + 4L * i * depth, panelB, depth);
            }
        }
    }

    private static void multiplyPanel(long block, long a, long b, int depth) {
        long row1 = block + 4L * COLUMNS;
        long row2 = block + 8L * COLUMNS;
        long row3 = block + 12L * COLUMNS;
        long second = 4L * Lanes.COUNT;
        FloatVector c00 = Lanes.loadF32(block);
        FloatVector c01 = Lanes.loadF32(block + second);
        FloatVector c10 = Lanes.loadF32(row1);
        FloatVector c11 = Lanes.loadF32(row1 + second);
        FloatVector c20 = Lanes.loadF32(row2);
        FloatVector c21 = Lanes.loadF32(row2 + second);
        FloatVector c30 = Lanes.loadF32(row3);
        FloatVector c31 = Lanes.loadF32(row3 + second);
        for (int p = 0; p < depth; p++) {
            FloatVector b0 = Lanes.loadF32(b + 4L * p * PANEL_COLUMNS);
            FloatVector b1 = Lanes.loadF32(b + 4L * p * PANEL_COLUMNS + second);
            FloatVector a0 = FloatVector.broadcast(Lanes.FLOATS, Lanes.getF32(a, 4L * p));
            FloatVector a1 = FloatVector.broadcast(Lanes.FLOATS, Lanes.getF32(a, 4L * p + 1));
            FloatVector a2 = FloatVector.broadcast(Lanes.FLOATS, Lanes.getF32(a, 4L * p + 2));
            FloatVector a3 = FloatVector.broadcast(Lanes.FLOATS, Lanes.getF32(a, 4L * p + 3));
            c00 = a0.fma(b0, c00);
            c01 = a0.fma(b1, c01);
            c10 = a1.fma(b0, c10);
            c11 = a1.fma(b1, c11);
            c20 = a2.fma(b0, c20);
            c21 = a2.fma(b1, c21);
            c30 = a3.fma(b0, c30);
            c31 = a3.fma(b1, c31);
        }
        Lanes.storeF32(block, c00);
        Lanes.storeF32(block + second, c01);
        Lanes.storeF32(row1, c10);
        Lanes.storeF32(row1 + second, c11);
        Lanes.storeF32(row2, c20);
        Lanes.storeF32(row2 + second, c21);
        Lanes.storeF32(row3, c30);
        Lanes.storeF32(row3 + second, c31);
    }

    private void write(long c, long bias, long block, int row, int rows, int column, int columns) {
        boolean half = shape.halfOutput();
        boolean accumulate = shape.accumulate();
        boolean hasBias = shape.bias();
        for (int i = 0; i < rows; i++) {
            long to = (row + i) * shape.ldc() + column;
            for (int j = 0; j < columns; j++) {
                float sum = Lanes.getF32(block, (long) i * COLUMNS + j);
                if (accumulate) {
                    sum += Lanes.get(half, c, to + j);
                } else if (hasBias) {
                    sum += Lanes.getF32(bias, column + j);
                }
                Lanes.put(half, c, to + j, sum);
            }
        }
    }
}
