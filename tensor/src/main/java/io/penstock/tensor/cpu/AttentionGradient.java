package io.penstock.tensor.cpu;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * The gradient of {@link Attention}. A tile is one key-value head of one sequence: chunk after chunk of keys, over the query heads that share them and their
 * blocks in order, s = q k' and dp = do v' are computed again; then dv += p' do, dk += ds' q and dq = ds k. Later chunks add to dq in its own type.
 */
final class AttentionGradient implements Tiles {
    private final Workers workers;
    private final MatmulKernels kernels;
    private final Workspace workspace;
    private final AttentionBlocks.Kernels scoreKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Kernels dpKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Kernels dvKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Kernels dkKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Kernels dqKernels = new AttentionBlocks.Kernels();
    private final AttentionBlocks.Maker maker = this::make;

    private AttentionShape shape = new AttentionShape(1, 1, 1, 1, 1);
    private long dq;
    private long dk;
    private long dv;
    private long dO;
    private long o;
    private long lse;
    private long q;
    private long k;
    private long v;
    private long dqStride;
    private long dkStride;
    private long dvStride;
    private long dOStride;
    private long oStride;
    private long qStride;
    private long kStride;
    private long vStride;
    private int chunk;
    private DType type = DType.F32;

    AttentionGradient(Workers workers, MatmulKernels kernels, Workspace workspace) {
        this.workers = workers;
        this.kernels = kernels;
        this.workspace = workspace;
    }

    void run(
            Tensor dq_RC,
            Tensor dk_RC,
            Tensor dv_RC,
            Tensor do_RC,
            Tensor o_RC,
            Tensor lse_BNT,
            Tensor q_RC,
            Tensor k_RC,
            Tensor v_RC,
            AttentionShape shape) {
        this.shape = shape;
        dq = dq_RC.address();
        dk = dk_RC.address();
        dv = dv_RC.address();
        dO = do_RC.address();
        o = o_RC.address();
        lse = lse_BNT.address();
        q = q_RC.address();
        k = k_RC.address();
        v = v_RC.address();
        dqStride = dq_RC.rowStride();
        dkStride = dk_RC.rowStride();
        dvStride = dv_RC.rowStride();
        dOStride = do_RC.rowStride();
        oStride = o_RC.rowStride();
        qStride = q_RC.rowStride();
        kStride = k_RC.rowStride();
        vStride = v_RC.rowStride();
        type = Lanes.type(q_RC);
        chunk = AttentionBlocks.keys(shape.headSize());
        kernels.beginOperation();
        AttentionBlocks.plan(shape, maker);
        workers.run(this, Math.multiplyExact(shape.batch(), shape.keyValueHeads()));
    }

    private void make(int rows, int n, int slot) {
        int h = shape.headSize();
        long scores = AttentionBlocks.STRIDE;
        long p = scores * 4 / type.bytes();
        int product = MatmulShape.flags(false, true, type, false, false, false);
        scoreKernels.set(rows, slot, kernels.find(rows, n, h, qStride, kStride, scores, product));
        dpKernels.set(rows, slot, kernels.find(rows, n, h, dOStride, vStride, scores, product));
        int sum = MatmulShape.flags(true, false, type, false, false, true);
        dvKernels.set(rows, slot, kernels.find(n, h, rows, p, dOStride, h, sum));
        dkKernels.set(rows, slot, kernels.find(n, h, rows, p, qStride, h, sum));
        int plain = MatmulShape.flags(false, false, type, false, false, false);
        long stride = packs(n) ? h : kStride;
        dqKernels.set(rows, slot, kernels.find(rows, h, n, p, stride, h, plain));
    }

    private boolean packs(int keys) {
        return PagedRows.deservePacking(type, kStride, keys);
    }

    @Override
    public void run(int tile, int thread) {
        int keyHead = tile % shape.keyValueHeads();
        int batch = tile / shape.keyValueHeads();
        int h = shape.headSize();
        int group = shape.heads() / shape.keyValueHeads();
        long area = workspace.area(thread);
        for (int from = 0; from < shape.sequence(); from += chunk) {
            int keys = Math.min(chunk, shape.sequence() - from);
            Vectors.zero(AttentionBlocks.keySums(area), (long) keys * h);
            Vectors.zero(AttentionBlocks.valueSums(area), (long) keys * h);
            for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
                for (int start = from; start < shape.sequence(); start += AttentionBlocks.ROWS) {
                    block(area, thread, batch, keyHead, head, from, start);
                }
            }
            long row = (long) batch * shape.sequence() + from;
            for (int i = 0; i < keys; i++) {
                long column = (long) keyHead * h;
                long sums = 4L * i * h;
                int bytes = type.bytes();
                long toK = dk + ((row + i) * dkStride + column) * bytes;
                long toV = dv + ((row + i) * dvStride + column) * bytes;
                SoftmaxRow.write(toK, AttentionBlocks.keySums(area) + sums, 1, h, type);
                SoftmaxRow.write(toV, AttentionBlocks.valueSums(area) + sums, 1, h, type);
            }
        }
    }

    private void block(long area, int thread, int batch, int keyHead, int head, int from, int start) {
        int h = shape.headSize();
        int bytes = type.bytes();
        int rows = Math.min(AttentionBlocks.ROWS, shape.sequence() - start);
        int n = AttentionBlocks.keyCount(start, rows, from, chunk);
        int slot = AttentionBlocks.slot(n, chunk);
        long row = (long) batch * shape.sequence() + start;
        long key = (long) batch * shape.sequence() + from;
        long queries = q + (row * qStride + (long) head * h) * bytes;
        long outputs = dO + (row * dOStride + (long) head * h) * bytes;
        long keys = k + (key * kStride + (long) keyHead * h) * bytes;
        long values = v + (key * vStride + (long) keyHead * h) * bytes;
        long scores = AttentionBlocks.scores(area);
        long dp = AttentionBlocks.scoreGradients(area);

        scoreKernels.get(rows, slot).run(thread, queries, keys, scores, 0);
        dpKernels.get(rows, slot).run(thread, outputs, values, dp, 0);
        softmaxRows(area, batch, head, from, start, rows, n);
        dvKernels.get(rows, slot).run(thread, scores, outputs, AttentionBlocks.valueSums(area), 0);
        dkKernels.get(rows, slot).run(thread, dp, queries, AttentionBlocks.keySums(area), 0);
        if (packs(n)) {
            long packed = AttentionBlocks.packedKeys(area);
            PagedRows.pack(packed, keys, kStride, n, h);
            keys = packed;
        }
        long sums = AttentionBlocks.querySums(area);
        dqKernels.get(rows, slot).run(thread, dp, keys, sums, 0);
        for (int r = 0; r < rows; r++) {
            long to = dq + ((row + r) * dqStride + (long) head * h) * bytes;
            if (from == 0) {
                SoftmaxRow.write(to, sums + 4L * r * h, 1, h, type);
            } else {
                SoftmaxRow.add(to, sums + 4L * r * h, h, AttentionBlocks.lanes(area), type);
            }
        }
    }

    private void softmaxRows(long area, int batch, int head, int from, int start, int rows, int n) {
        int h = shape.headSize();
        int bytes = type.bytes();
        float scale = (float) (1 / Math.sqrt(h));
        long row = (long) batch * shape.sequence() + start;
        long lseRow = ((long) batch * shape.heads() + head) * shape.sequence() + start;
        for (int r = 0; r < rows; r++) {
            long column = (long) head * h;
            // d = sum_t p dp = do . o
            float d = SoftmaxRow.dot(
                    dO + ((row + r) * dOStride + column) * bytes,
                    o + ((row + r) * oStride + column) * bytes,
                    h,
                    AttentionBlocks.lanes(area),
                    type);
            int valid = Math.min(n, start + r - from + 1);
            long offset = 4L * r * AttentionBlocks.STRIDE;
            SoftmaxRow.backward(
                    AttentionBlocks.scores(area) + offset,
                    AttentionBlocks.scoreGradients(area) + offset,
                    valid,
                    n,
                    scale,
                    Lanes.getF32(lse, lseRow + r),
                    d,
                    type);
        }
    }
}
