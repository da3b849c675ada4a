package io.penstock.models.llama;

import io.penstock.models.Head;
import io.penstock.models.LayerContext;
import io.penstock.models.Parameter;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.models.vocabulary.ChunkViews;
import io.penstock.models.vocabulary.LogitChunks;
import io.penstock.models.vocabulary.TokenLosses;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.Write;

/**
 * n = rms_f(x); logits = n W'; loss = sum over tokens of logsumexp(logits) - logits[target]. W (V, C) is the token table itself where they are tied.
 * Touvron et al. 2023; the chunks of tokens after Wijmans et al. 2024 ("Cut your losses"), at the grain of {@link LogitChunks}. Over a group each rank has V/tp rows of W.
 */
final class LlamaHead implements Head<LlamaHead.Saved> {
    static final String LOGITS = "logits";

    /** What backward needs beside x. */
    record Saved(Tensor n_BTC, Tensor rstd_BT) {}

    private final Backend backend;
    private final ParallelRegion region;
    private final LogitChunks chunks;
    private final ChunkViews views;
    private final TokenLosses losses;
    private final RmsNorm norm;
    private final Tensor w_VC;
    private final Tensor dw_VC;
    private final boolean whole;
    /** Of a chunk, one a chunk since the last is shorter: logits in the accumulator type, and their gradient in the same rows. */
    private final Tensor[] logits_RV;

    private final Tensor[] dlogits_RV;

    LlamaHead(LayerContext context, LlamaShard shard, LogitChunks chunks, ParallelRegion region) {
        this.backend = context.backend();
        this.region = region;
        this.chunks = chunks;
        this.views = ChunkViews.of(chunks);
        this.losses = new TokenLosses(context, shard.split(), shard.firstToken(), chunks);
        this.norm = new RmsNorm(
                backend,
                context.parameters(),
                LlamaParameters.FINAL_NORM,
                shard.config().layerNormEpsilon());
        Parameter projection =
                context.parameters().parameter(LlamaParameters.head(shard).name());
        this.w_VC = projection.value();
        this.dw_VC = projection.gradient();
        this.whole = shard.split().isWhole();
        this.logits_RV = new Tensor[chunks.count()];
        this.dlogits_RV = new Tensor[chunks.count()];
        Tensor logits = context.scratch().tensor(LOGITS);
        DType compute = context.compute();
        for (int i = 0; i < chunks.count(); i++) {
            Shape shape = Shape.of(chunks.size(i), shard.vocabulary());
            logits_RV[i] = logits.slice(0, chunks.size(i));
            long stride = logits.rowStride() * logits.dtype().bytes() / compute.bytes();
            dlogits_RV[i] = Tensor.strided(logits.segment(), compute, shape, stride);
        }
    }

    @Override
    public Saved saved(TensorSource slot) {
        return new Saved(slot.tensor("normed"), slot.tensor("rstd"));
    }

    @Override
    public void forward(Tensor x_BTC, Saved saved) {
        norm.forward(saved.n_BTC, saved.rstd_BT, x_BTC);
    }

    @Override
    public void loss(Tensor loss_1, Tensor targets_BT, Saved saved) {
        Tensor[] n_RC = views.of(region.gather(saved.n_BTC, 0));
        for (int i = 0; i < chunks.count(); i++) {
            project(i, n_RC[i]);
            losses.find(i, logits_RV[i], null, targets_BT, 0);
        }
        losses.sum(loss_1);
    }

    @Override
    public void backward(Tensor loss_1, Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT, float scale, Saved saved) {
        Tensor[] n_RC = views.of(region.gather(saved.n_BTC, 0));
        Tensor dn_BTC = region.partial(dx_BTC, 1);
        Tensor[] dn_RC = views.of(dn_BTC);
        for (int i = 0; i < chunks.count(); i++) {
            project(i, n_RC[i]);
            // forward: loss = logsumexp(logits) - logits[target]
            losses.find(i, logits_RV[i], dlogits_RV[i], targets_BT, scale);
            // forward: logits = n W'
            backend.matmul(dn_RC[i], dlogits_RV[i], false, w_VC, false, null, Write.OVERWRITE);
            if (i == chunks.count() - 1) {
                region.startSum(dn_BTC);
            }
            backend.matmul(dw_VC, dlogits_RV[i], true, n_RC[i], false, null, Write.ACCUMULATE);
        }
        // forward: n = rms_f(x)
        norm.backward(dx_BTC, region.awaitSum(dn_BTC, 1), null, x_BTC, saved.rstd_BT);
        losses.sum(loss_1);
    }

    @Override
    public void logits(Tensor logits_V, int row, Saved saved) {
        if (!whole) {
            throw new IllegalStateException("the logits of one token are those of a whole head, this one is split");
        }
        long c = saved.n_BTC.shape().last();
        Tensor n_1C = saved.n_BTC.reshape(Shape.of(chunks.rows(), c)).slice(row, 1);
        backend.matmul(logits_V, n_1C, false, w_VC, true, null, Write.OVERWRITE);
    }

    private void project(int chunk, Tensor n_RC) {
        backend.matmul(logits_RV[chunk], n_RC, false, w_VC, true, null, Write.OVERWRITE);
    }
}
