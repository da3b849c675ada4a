package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/**
 * A product by the Vector API (Goto and van de Geijn 2008): blocks of both factors are copied to f32 panels that stay in cache, four rows by two vectors
 * of c stay in registers. Sums run over k in order within {@link #DEPTH}, and over those blocks in order.
 */
final class JavaMatmul extends MatmulKernel {
    private static final int ROWS = 64;
    static final int COLUMNS = 64;
    private static final int DEPTH = 256;
    private static final int PANEL_ROWS = 4;
    static final int PANEL_COLUMNS = 2 * Lanes.COUNT;

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
                Vectors.zero(block, ROWS * COLUMNS);
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
        DType type = shape.typeA();
        long rowStep = shape.transposeA() ? 1 : shape.lda();
        long depthStep = shape.transposeA() ? shape.lda() : 1;
        for (int i = 0; i < roundUp(rows, PANEL_ROWS); i++) {
            long to = packed + 4L * ((long) (i / PANEL_ROWS) * PANEL_ROWS * depth + i % PANEL_ROWS);
            long source = (row + i) * rowStep + from * depthStep;
            for (int p = 0; p < depth; p++) {
                Lanes.putF32(to, (long) p * PANEL_ROWS, i < rows ? Lanes.get(type, a, source + p * depthStep) : 0);
            }
        }
    }

    /** Panels of two vectors' columns, [panel][depth][2 vectors], padded with zeros. */
    private void packB(long packed, long b, int column, int columns, int from, int depth) {
        DType type = shape.type();
        long columnStep = shape.transposeB() ? shape.ldb() : 1;
        long depthStep = shape.transposeB() ? 1 : shape.ldb();
        for (int j = 0; j < roundUp(columns, PANEL_COLUMNS); j++) {
            long to = packed + 4L * ((long) (j / PANEL_COLUMNS) * PANEL_COLUMNS * depth + j % PANEL_COLUMNS);
            long source = (column + j) * columnStep + from * depthStep;
            for (int p = 0; p < depth; p++) {
                Lanes.putF32(
                        to, (long) p * PANEL_COLUMNS, j < columns ? Lanes.get(type, b, source + p * depthStep) : 0);
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
                VectorPanel.multiplyPanel(block + 4L * (i * COLUMNS + j), packedA + 4L * i * depth, panelB, depth);
            }
        }
    }

    private void write(long c, long bias, long block, int row, int rows, int column, int columns) {
        DType type = shape.output();
        boolean accumulate = shape.accumulate();
        boolean hasBias = shape.bias();
        for (int i = 0; i < rows; i++) {
            long to = (row + i) * shape.ldc() + column;
            for (int j = 0; j < columns; j++) {
                float sum = Lanes.getF32(block, (long) i * COLUMNS + j);
                if (accumulate) {
                    sum += Lanes.get(type, c, to + j);
                } else if (hasBias) {
                    sum += Lanes.getF32(bias, column + j);
                }
                Lanes.put(type, c, to + j, sum);
            }
        }
    }
}
