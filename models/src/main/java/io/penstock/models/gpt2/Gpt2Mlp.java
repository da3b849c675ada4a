package io.penstock.models.gpt2;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.Set;

/**
 * The feed-forward half of a block with both residuals: h = x + a; n = ln_2(h); f = n W_fc + b_fc; g = gelu(f); y = h + g W_proj + b_proj.
 * Radford et al. 2019. The first residual is here because one kernel adds and norms.
 */
final class Gpt2Mlp {
    /** What backward needs; g is kept beside f because the weight gradient reads it. */
    record Saved(Tensor h_BTC, Tensor n_BTC, Tensor mean_BT, Tensor rstd_BT, Tensor f_BTF, Tensor g_BTF) {
        static TensorTable table(ModelConfig config, MicroBatchShape microBatch, DType compute) {
            int b = microBatch.batch();
            int t = microBatch.sequence();
            int c = config.hiddenSize();
            int f = config.intermediateSize();
            return TensorTable.builder()
                    .add("residual", compute, Shape.of(b, t, c))
                    .add("normed", compute, Shape.of(b, t, c))
                    .add("mean", compute.accumulator(), Shape.of(b, t))
                    .add("rstd", compute.accumulator(), Shape.of(b, t))
                    .add("fc", compute, Shape.of(b, t, f))
                    .add("gelu", compute, Shape.of(b, t, f))
                    .build();
        }

        /** The names that {@link #recomputeFromProducts} needs. */
        static final Set<String> PRODUCTS = Set.of("residual", "fc");

        static Saved of(TensorSource slot) {
            return new Saved(
                    slot.tensor("residual"),
                    slot.tensor("normed"),
                    slot.tensor("mean"),
                    slot.tensor("rstd"),
                    slot.tensor("fc"),
                    slot.tensor("gelu"));
        }
    }

    /** What the weight gradients need beside dy: df for c_fc, dh for the attention half's c_proj. */
    record Stash(Tensor df_BTF, Tensor dh_BTC) {
        static TensorTable table(ModelConfig config, MicroBatchShape microBatch, DType compute) {
            int b = microBatch.batch();
            int t = microBatch.sequence();
            return TensorTable.builder()
                    .add("dfc", compute, Shape.of(b, t, config.intermediateSize()))
                    .add("dresidual", compute, Shape.of(b, t, config.hiddenSize()))
                    .build();
        }

        static Stash of(TensorSource slot) {
            return new Stash(slot.tensor("dfc"), slot.tensor("dresidual"));
        }
    }

    private final Backend backend;
    private final float epsilon;
    private final NormParameters ln_2;
    private final Affine c_fc;
    private final Affine c_proj;

    /** {@code module}: "transformer.h.0". */
    Gpt2Mlp(Backend backend, ParameterSource parameters, String module, ModelConfig config) {
        this.backend = backend;
        this.epsilon = config.layerNormEpsilon();
        this.ln_2 = NormParameters.of(parameters, module + ".ln_2");
        this.c_fc = new Affine(backend, parameters, module + ".mlp.c_fc");
        this.c_proj = new Affine(backend, parameters, module + ".mlp.c_proj");
    }

    /** Overwrites y_BTC and saved. a_BTC may be saved.h_BTC itself. */
    void forward(Tensor y_BTC, Tensor a_BTC, Tensor x_BTC, Saved saved) {
        expand(a_BTC, x_BTC, saved);
        c_proj.forward(y_BTC, saved.g_BTF);
        backend.add(y_BTC, saved.h_BTC);
    }

    /** Overwrites saved: all of forward but its output. a_BTC may be saved.h_BTC itself. */
    void expand(Tensor a_BTC, Tensor x_BTC, Saved saved) {
        backend.addLayerNorm(
                saved.h_BTC,
                saved.n_BTC,
                saved.mean_BT,
                saved.rstd_BT,
                a_BTC,
                x_BTC,
                ln_2.gain_C(),
                ln_2.bias_C(),
                epsilon);
        c_fc.forward(saved.f_BTF, saved.n_BTC);
        backend.gelu(saved.g_BTF, saved.f_BTF);
    }

    /** Overwrites all of saved but h and f, which are there: no matrix product runs again. */
    void recomputeFromProducts(Saved saved) {
        backend.layerNorm(
                saved.n_BTC, saved.mean_BT, saved.rstd_BT, saved.h_BTC, ln_2.gain_C(), ln_2.bias_C(), epsilon);
        backend.gelu(saved.g_BTF, saved.f_BTF);
    }

    /** Overwrites stash, stash.dh_BTC being the gradient of x and of a alike. Accumulates (+=) the gradients of ln_2. */
    void backwardInput(Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: y = h + g W_proj + b_proj
        Tensor dg_BTF = stash.df_BTF;
        c_proj.backwardInput(dg_BTF, dy_BTC);
        // forward: g = gelu(f)
        backend.geluBackward(stash.df_BTF, dg_BTF, saved.f_BTF);
        // forward: f = n W_fc + b_fc
        Tensor dn_BTC = stash.dh_BTC;
        c_fc.backwardInput(dn_BTC, stash.df_BTF);
        // forward: n = ln_2(h), and y = h + ...
        backend.layerNormBackward(
                stash.dh_BTC,
                ln_2.dgain_C(),
                ln_2.dbias_C(),
                dn_BTC,
                dy_BTC,
                saved.h_BTC,
                ln_2.gain_C(),
                saved.mean_BT,
                saved.rstd_BT);
        // forward: h = x + a
    }

    /** Accumulates (+=) the gradients of c_proj and c_fc. */
    void backwardWeight(Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: y = h + g W_proj + b_proj
        c_proj.backwardWeight(dy_BTC, saved.g_BTF);
        // forward: f = n W_fc + b_fc
        c_fc.backwardWeight(stash.df_BTF, saved.n_BTC);
    }
}
