package io.penstock.tensor.cpu;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * softmax(q k' / sqrt(H)) v with the running maximum and sum of Milakov and Gimelshein (2018), as Dao et al. (2022) tile it. A tile is a block of queries of one
 * head: s = q k' by one product, p = e^(s - max) in place, o += p v by another.
 */
final class Attention implements Tiles {
    private final Workers workers;
    private final MatmulKernels kernels;
    private final Workspace workspace;
    private final AttentionBlocks.Kernels scoreKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Kernels valueKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Maker maker = this::make;

    private AttentionShape shape = new AttentionShape(1, 1, 1, 1, 1);
    private long o;
    private long lse;
    private long q;
    private long k;
    private long v;
    private long oStride;
    private long qStride;
    private long kStride;
    private long vStride;
    private int chunk;
    private DType type = DType.F32;

    Attention(Workers workers, MatmulKernels kernels, Workspace workspace) {
        this.workers = workers;
        this.kernels = kernels;
        this.workspace = workspace;
    }

    void forward(Tensor o_RC, Tensor lse_BNT, Tensor q_RC, Tensor k_RC, Tensor v_RC, AttentionShape shape) {
        this.shape = shape;
        o = o_RC.address();
        lse = lse_BNT.address();
        q = q_RC.address();
        k = k_RC.address();
        v = v_RC.address();
        oStride = o_RC.rowStride();
        qStride = q_RC.rowStride();
        kStride = k_RC.rowStride();
        vStride = v_RC.rowStride();
        type = Lanes.type(q_RC);
        chunk = AttentionBlocks.keys(shape.headSize());
        kernels.beginOperation();
        AttentionBlocks.plan(shape, maker);
        int blocks = AttentionBlocks.blocks(shape.sequence());
        workers.run(this, Math.toIntExact((long) shape.batch() * shape.heads() * blocks));
    }

    private void make(int rows, int n, int slot) {
        int h = shape.headSize();
        int scores = MatmulShape.flags(false, true, type, false, false, false);
        scoreKernels.set(rows, slot, kernels.find(rows, n, h, qStride, kStride, AttentionBlocks.STRIDE, scores));
        int values = MatmulShape.flags(false, false, type, false, false, true);
        long pStride = AttentionBlocks.STRIDE * 4 / type.bytes();
        long stride = packs(n) ? h : vStride;
        valueKernels.set(rows, slot, kernels.find(rows, h, n, pStride, stride, h, values));
    }

    private boolean packs(int values) {
        return PagedRows.deservePacking(type, vStride, values);
    }

    /** Tiles of a head follow one another, those of the longest rows first (the counter runs down). */
    @Override
    public void run(int tile, int thread) {
        int blocks = AttentionBlocks.blocks(shape.sequence());
        int block = tile % blocks;
        int head = tile / blocks % shape.heads();
        int batch = tile / blocks / shape.heads();
        int start = block * AttentionBlocks.ROWS;
        int rows = Math.min(AttentionBlocks.ROWS, shape.sequence() - start);
        long area = workspace.area(thread);
        begin(area, rows);
        for (int from = 0; from < start + rows; from += chunk) {
            attend(area, thread, batch, head, start, rows, from);
        }
        finish(area, batch, head, start, rows);
    }

    private void begin(long area, int rows) {
        Vectors.zero(AttentionBlocks.querySums(area), (long) rows * shape.headSize());
        Vectors.zero(AttentionBlocks.totals(area), rows);
        for (int r = 0; r < rows; r++) {
            Lanes.putF32(AttentionBlocks.maxima(area), r, Float.NEGATIVE_INFINITY);
        }
    }

    private void attend(long area, int thread, int batch, int head, int start, int rows, int from) {
        int h = shape.headSize();
        int bytes = type.bytes();
        int keyHead = head / (shape.heads() / shape.keyValueHeads());
        long firstRow = (long) batch * shape.sequence();
        long scores = AttentionBlocks.scores(area);
        long sums = AttentionBlocks.querySums(area);
        int n = AttentionBlocks.keyCount(start, rows, from, chunk);
        int slot = AttentionBlocks.slot(n, chunk);

        long queries = q + ((firstRow + start) * qStride + (long) head * h) * bytes;
        long keys = k + ((firstRow + from) * kStride + (long) keyHead * h) * bytes;
        scoreKernels.get(rows, slot).run(thread, queries, keys, scores, 0);
        float scale = (float) (1 / Math.sqrt(h));
        for (int r = 0; r < rows; r++) {
            int valid = Math.min(n, start + r - from + 1);
            float kept = SoftmaxRow.forward(
                    scores + 4L * r * AttentionBlocks.STRIDE,
                    valid,
                    n,
                    scale,
                    AttentionBlocks.maxima(area) + 4L * r,
                    AttentionBlocks.totals(area) + 4L * r,
                    AttentionBlocks.lanes(area),
                    type);
            if (from > 0) {
                Vectors.scale(sums + 4L * r * h, sums + 4L * r * h, kept, h);
            }
        }
        long values = v + ((firstRow + from) * vStride + (long) keyHead * h) * bytes;
        if (packs(n)) {
            long packed = AttentionBlocks.packedValues(area);
            PagedRows.pack(packed, values, vStride, n, h);
            values = packed;
        }
        valueKernels.get(rows, slot).run(thread, scores, values, sums, 0);
    }

    private void finish(long area, int batch, int head, int start, int rows) {
        int h = shape.headSize();
        float scale = (float) (1 / Math.sqrt(h));
        long firstRow = (long) batch * shape.sequence() + start;
        long lseRow = ((long) batch * shape.heads() + head) * shape.sequence() + start;
        for (int r = 0; r < rows; r++) {
            float total = Lanes.getF32(AttentionBlocks.totals(area), r);
            float max = Lanes.getF32(AttentionBlocks.maxima(area), r);
            Lanes.putF32(lse, lseRow + r, (float) (max * scale + StrictMath.log(total)));
            long to = o + ((firstRow + r) * oStride + (long) head * h) * type.bytes();
            SoftmaxRow.write(to, AttentionBlocks.querySums(area) + 4L * r * h, 1 / total, h, type);
        }
    }
}
