package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * Turns pair (h, h + H/2) of every head of row r by (r mod T) theta^(-2h/H). The cosines and sines of a row are found once and serve all of its heads; the frequencies,
 * in whole turns, are kept from call to call.
 */
final class Rotary implements Tiles {
    private static final long ELEMENTS = 1 << 14;

    private final Workers workers;
    private final Workspace workspace;

    private double[] turns = new double[0];
    private double theta;
    private long y;
    private long x;
    private long yStride;
    private long xStride;
    private long rows;
    private long columns;
    private long rowsPerTile;
    private int sequence;
    private boolean back;
    private DType type = DType.F32;

    Rotary(Workers workers, Workspace workspace) {
        this.workers = workers;
        this.workspace = workspace;
    }

    void run(Tensor y_RC, Tensor x_RC, int headSize, int sequence, double theta, boolean back) {
        columns = x_RC.shape().last();
        workspace.requireRows(2, columns);
        type = Lanes.type(x_RC);
        y = y_RC.address();
        x = x_RC.address();
        yStride = y_RC.rowStride() * type.bytes();
        xStride = x_RC.rowStride() * type.bytes();
        rows = x_RC.shape().rows();
        this.sequence = sequence;
        this.back = back;
        findFrequencies(headSize, theta);
        rowsPerTile = Math.max(1, ELEMENTS / columns);
        workers.run(this, Math.toIntExact((rows + rowsPerTile - 1) / rowsPerTile));
    }

    private void findFrequencies(int headSize, double theta) {
        if (turns.length == headSize / 2 && this.theta == theta) {
            return;
        }
        if (turns.length != headSize / 2) {
            turns = new double[headSize / 2];
        }
        this.theta = theta;
        for (int h = 0; h < turns.length; h++) {
            turns[h] = StrictMath.pow(theta, -2.0 * h / headSize) / (2 * Math.PI);
        }
    }

    /** A thread's area: cosines, sines, then the row in F32 where it is BF16. */
    @Override
    public void run(int tile, int thread) {
        int pairs = turns.length;
        long cosines = workspace.area(thread);
        long sines = cosines + 4L * pairs;
        long scratch = sines + 4L * pairs;
        long end = Math.min(rows, (tile + 1) * rowsPerTile);
        for (long row = tile * rowsPerTile; row < end; row++) {
            Angles.find(cosines, sines, turns, row % sequence, back);
            long to = y + row * yStride;
            long from = Halves.read(type, x + row * xStride, scratch, columns);
            long turned = Halves.target(type, to, scratch);
            for (long head = 0; head < columns; head += 2L * pairs) {
                VectorRotary.rotate(turned + 4 * head, from + 4 * head, cosines, sines, pairs);
            }
            Halves.flush(type, to, scratch, columns);
        }
    }
}
