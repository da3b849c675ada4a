package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The innermost loop of {@link JavaMatmul}. */
final class VectorPanel {
    private VectorPanel() {}

    static void multiplyPanel(long block, long a, long b, int depth) {
        long row1 = block + 4L * JavaMatmul.COLUMNS;
        long row2 = block + 8L * JavaMatmul.COLUMNS;
        long row3 = block + 12L * JavaMatmul.COLUMNS;
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
            FloatVector b0 = Lanes.loadF32(b + 4L * p * JavaMatmul.PANEL_COLUMNS);
            FloatVector b1 = Lanes.loadF32(b + 4L * p * JavaMatmul.PANEL_COLUMNS + second);
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
}
