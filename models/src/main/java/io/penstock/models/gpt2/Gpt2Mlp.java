package io.penstock.models.gpt2;

import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.Set;

/**
 * The feed-forward half of a block with both residuals: h = x + a; n = ln_2(h); f = n W_fc + b_fc; g = gelu(f); y = h + g W_proj + b_proj.
 * Radford et al. 2019. The first residual is here because one kernel adds and norms. Over a group each rank has F/tp of the columns of f.
 */
final class Gpt2Mlp {
    /** What backward needs; g is kept beside f because the weight gradient reads it. */
    record Saved(Tensor h_BTC, Tensor n_BTC, Tensor mean_BT, Tensor rstd_BT, Tensor f_BTF, Tensor g_BTF) {
        static TensorTable table(Gpt2Shard shard, MicroBatchShape microBatch, DType compute) {
            Shape held = shard.held(microBatch);
            Shape statistics = shard.heldStatistics(microBatch);
            Shape wide = Gpt2Shard.all(microBatch, shard.feedForward());
            return TensorTable.builder()
                    .add("residual", compute, held)
                    .add("normed", compute, held)
                    .add("mean", compute.accumulator(), statistics)
                    .add("rstd", compute.accumulator(), statistics)
                    .add("fc", compute, wide)
                    .add("gelu", compute, wide)
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
        static TensorTable table(Gpt2Shard shard, MicroBatchShape microBatch, DType compute) {
            return TensorTable.builder()
                    .add("dfc", compute, Gpt2Shard.all(microBatch, shard.feedForward()))
                    .add("dresidual", compute, shard.held(microBatch))
                    .build();
        }

        static Stash of(TensorSource slot) {
            return new Stash(slot.tensor("dfc"), slot.tensor("dresidual"));
        }
    }

    private final Backend backend;
    private final ParallelRegion region;
    private final float epsilon;
    private final NormParameters ln_2;
    private final Affine c_fc;
    private final Affine c_proj;

    /** {@code module}: "transformer.h.0". */
    Gpt2Mlp(LayerContext context, String module, Gpt2Shard shard, ParallelRegion region) {
        this.backend = context.backend();
        this.region = region;
        this.epsilon = shard.config().layerNormEpsilon();
        this.ln_2 = NormParameters.of(context.parameters(), module + ".ln_2");
        this.c_fc = Affine.byColumns(backend, context.parameters(), module + ".mlp.c_fc");
        this.c_proj = Affine.byRows(backend, context.parameters(), module + ".mlp.c_proj", shard.split());
    }

    /** Overwrites y_BTC and saved. a_BTC may be saved.h_BTC itself, or lie in buffer 0. */
    void forward(Tensor y_BTC, Tensor a_BTC, Tensor x_BTC, Saved saved) {
        expand(a_BTC, x_BTC, saved);
        Tensor partial_BTC = region.partial(y_BTC, 0);
        c_proj.forward(partial_BTC, saved.g_BTF);
        region.sumInto(y_BTC, partial_BTC, 0);
        backend.add(y_BTC, saved.h_BTC);
    }

    /** Overwrites saved: all of forward but its output. a_BTC may be saved.h_BTC itself, or lie in buffer 0. */
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
        c_fc.forward(saved.f_BTF, region.gather(saved.n_BTC, 0));
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
        Tensor dn_BTC = branch(region.gather(dy_BTC, 0), saved, stash);
        normGradient(region.sum(dn_BTC, 2), dy_BTC, saved, stash);
    }

    /** Accumulates (+=) the gradients of c_proj and c_fc. */
    void backwardWeight(Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: y = h + g W_proj + b_proj
        c_proj.backwardWeight(region.gather(dy_BTC, 0), saved.g_BTF);
        // forward: f = n W_fc + b_fc
        c_fc.backwardWeight(stash.df_BTF, region.gather(saved.n_BTC, 0));
    }

    /** {@link #backwardInput} and {@link #backwardWeight}, the latter while the group communicates. Returns stash.dh_BTC of all tokens, that or buffer 1. */
    Tensor backward(Tensor dy_BTC, Saved saved, Stash stash) {
        Tensor dyAll_BTC = region.gather(dy_BTC, 0);
        Tensor nAll_BTC = region.startGather(saved.n_BTC, 1);
        Tensor dn_BTC = branch(dyAll_BTC, saved, stash);
        region.await();
        region.startSum(dn_BTC);
        // forward: f = n W_fc + b_fc
        c_fc.backwardWeight(stash.df_BTF, nAll_BTC);
        normGradient(region.awaitSum(dn_BTC, 2), dy_BTC, saved, stash);
        Tensor dhAll_BTC = region.startGather(stash.dh_BTC, 1);
        // forward: y = h + g W_proj + b_proj
        c_proj.backwardWeight(dyAll_BTC, saved.g_BTF);
        region.await();
        return dhAll_BTC;
    }

    /** This rank's term of the gradient of n, in buffer 2 or stash.dh_BTC. Overwrites stash.df_BTF. */
    private Tensor branch(Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: y = h + g W_proj + b_proj
        Tensor dg_BTF = stash.df_BTF;
        c_proj.backwardInput(dg_BTF, dy_BTC);
        region.poll();
        // forward: g = gelu(f)
        backend.geluBackward(stash.df_BTF, dg_BTF, saved.f_BTF);
        region.poll();
        // forward: f = n W_fc + b_fc
        Tensor dn_BTC = region.partial(stash.dh_BTC, 2);
        c_fc.backwardInput(dn_BTC, stash.df_BTF);
        return dn_BTC;
    }

    private void normGradient(Tensor dn_BTC, Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: n = ln_2(h), and y = h + ..., where h = x + a
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
    }
}
