package io.penstock.models.gpt2;

import io.penstock.models.Head;
import io.penstock.models.ModelConfig;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.Write;
import org.jspecify.annotations.Nullable;

/**
 * n = ln_f(x); logits = n W'; loss = sum over tokens of logsumexp(logits) - logits[target]. W (V, C) is the token table itself where they are tied.
 * Radford et al. 2019; the chunks of tokens after Wijmans et al. 2024 ("Cut your losses"), at the grain of {@link LogitChunks}.
 */
final class Gpt2Head implements Head<Gpt2Head.Saved> {
    /** What backward needs beside x. */
    record Saved(Tensor n_BTC, Tensor mean_BT, Tensor rstd_BT) {}

    private final Backend backend;
    private final LogitChunks chunks;
    private final ChunkViews views;
    private final float epsilon;
    private final NormParameters ln_f;
    private final Tensor w_VC;
    private final Tensor dw_VC;
    private final Tensor losses_BT;
    /** Of a chunk, one a chunk since the last is shorter: logits in the accumulator type, and their gradient in the same rows. */
    private final Tensor[] logits_RV;

    private final Tensor[] dlogits_RV;

    Gpt2Head(
            Backend backend,
            ParameterSource parameters,
            TensorSource scratch,
            ModelConfig config,
            LogitChunks chunks,
            DType compute) {
        this.backend = backend;
        this.chunks = chunks;
        this.views = new ChunkViews(chunks);
        this.epsilon = config.layerNormEpsilon();
        this.ln_f = NormParameters.of(parameters, Gpt2Parameters.FINAL_NORM);
        Parameter projection = parameters.parameter(Gpt2Parameters.head(config).name());
        this.w_VC = projection.value();
        this.dw_VC = projection.gradient();
        this.losses_BT = scratch.tensor("losses");
        this.logits_RV = new Tensor[chunks.count()];
        this.dlogits_RV = new Tensor[chunks.count()];
        Tensor logits = scratch.tensor("logits");
        int v = config.vocabSize();
        for (int i = 0; i < chunks.count(); i++) {
            Shape shape = Shape.of(chunks.size(i), v);
            logits_RV[i] = logits.slice(0, chunks.size(i));
            long stride = logits.rowStride() * logits.dtype().bytes() / compute.bytes();
            dlogits_RV[i] = Tensor.strided(logits.segment(), compute, shape, stride);
        }
    }

    @Override
    public Saved saved(TensorSource slot) {
        return new Saved(slot.tensor("normed"), slot.tensor("mean"), slot.tensor("rstd"));
    }

    @Override
    public void forward(Tensor x_BTC, Saved saved) {
        backend.layerNorm(saved.n_BTC, saved.mean_BT, saved.rstd_BT, x_BTC, ln_f.gain_C(), ln_f.bias_C(), epsilon);
    }

    @Override
    public double loss(Tensor targets_BT, Saved saved) {
        Tensor[] n_RC = views.of(saved.n_BTC);
        for (int i = 0; i < chunks.count(); i++) {
            project(i, n_RC[i]);
            entropy(i, targets_BT, null, 0);
        }
        return sumLosses();
    }

    @Override
    public double backward(Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT, float scale, Saved saved) {
        Tensor[] n_RC = views.of(saved.n_BTC);
        Tensor[] dn_RC = views.of(dx_BTC);
        for (int i = 0; i < chunks.count(); i++) {
            project(i, n_RC[i]);
            // forward: loss = logsumexp(logits) - logits[target]
            entropy(i, targets_BT, dlogits_RV[i], scale);
            // forward: logits = n W'
            backend.matmul(dn_RC[i], dlogits_RV[i], false, w_VC, false, null, Write.OVERWRITE);
            backend.matmul(dw_VC, dlogits_RV[i], true, n_RC[i], false, null, Write.ACCUMULATE);
        }
        // forward: n = ln_f(x)
        backend.layerNormBackward(
                dx_BTC,
                ln_f.dgain_C(),
                ln_f.dbias_C(),
                dx_BTC,
                null,
                x_BTC,
                ln_f.gain_C(),
                saved.mean_BT,
                saved.rstd_BT);
        return sumLosses();
    }

    @Override
    public void logits(Tensor logits_V, int row, Saved saved) {
        long c = saved.n_BTC.shape().last();
        Tensor n_1C = saved.n_BTC.reshape(Shape.of(chunks.rows(), c)).slice(row, 1);
        backend.matmul(logits_V, n_1C, false, w_VC, true, null, Write.OVERWRITE);
    }

    private void project(int chunk, Tensor n_RC) {
        backend.matmul(logits_RV[chunk], n_RC, false, w_VC, true, null, Write.OVERWRITE);
    }

    private void entropy(int chunk, Tensor targets_BT, @Nullable Tensor dlogits_RV, float scale) {
        Tensor losses_R = views.ofColumn(losses_BT)[chunk];
        Tensor targets_R = views.ofColumn(targets_BT)[chunk];
        backend.crossEntropy(losses_R, dlogits_RV, logits_RV[chunk], targets_R, scale);
    }

    /** In double, in row order. */
    private double sumLosses() {
        backend.synchronize();
        double sum = 0;
        for (long r = 0; r < chunks.rows(); r++) {
            sum += losses_BT.get(r);
        }
        return sum;
    }
}
