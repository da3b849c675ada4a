package io.penstock.models.llama;

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
import org.jspecify.annotations.Nullable;

/**
 * The feed-forward half of a block with both residuals: h = x + a; n = rms_2(h); s = silu(n W_gate') * n W_up'; y = h + s W_down'. Touvron et al. 2023, Shazeer 2020.
 * The first residual is here because one kernel adds and norms. Over a group each rank has F/tp of the columns of s.
 */
final class LlamaMlp {
    /** What backward needs; s is kept beside its factors because the weight gradient reads it. */
    record Saved(Tensor h_BTC, Tensor n_BTC, Tensor rstd_BT, Tensor gate_BTF, Tensor up_BTF, Tensor s_BTF) {
        static TensorTable table(LlamaShard shard, MicroBatchShape microBatch, DType compute) {
            Shape held = shard.held(microBatch);
            Shape wide = LlamaShard.all(microBatch, shard.feedForward());
            return TensorTable.builder()
                    .add("residual", compute, held)
                    .add("normed", compute, held)
                    .add("rstd", compute.accumulator(), shard.heldStatistics(microBatch))
                    .add("gate", compute, wide)
                    .add("up", compute, wide)
                    .add("swiglu", compute, wide)
                    .build();
        }

        /** The names that {@link #recomputeFromProducts} needs. */
        static final Set<String> PRODUCTS = Set.of("residual", "gate", "up");

        static Saved of(TensorSource slot) {
            return new Saved(
                    slot.tensor("residual"),
                    slot.tensor("normed"),
                    slot.tensor("rstd"),
                    slot.tensor("gate"),
                    slot.tensor("up"),
                    slot.tensor("swiglu"));
        }
    }

    /** What the weight gradients need beside dy: those of the two factors, and dh for the attention half's o_proj. */
    record Stash(Tensor dgate_BTF, Tensor dup_BTF, Tensor dh_BTC) {
        static TensorTable table(LlamaShard shard, MicroBatchShape microBatch, DType compute) {
            Shape wide = LlamaShard.all(microBatch, shard.feedForward());
            return TensorTable.builder()
                    .add("dgate", compute, wide)
                    .add("dup", compute, wide)
                    .add("dresidual", compute, shard.held(microBatch))
                    .build();
        }

        static Stash of(TensorSource slot) {
            return new Stash(slot.tensor("dgate"), slot.tensor("dup"), slot.tensor("dresidual"));
        }
    }

    private final Backend backend;
    private final ParallelRegion region;
    private final RmsNorm norm;
    private final Linear gate_proj;
    private final Linear up_proj;
    private final Linear down_proj;

    /** {@code module}: "model.layers.0". */
    LlamaMlp(LayerContext context, String module, LlamaShard shard, ParallelRegion region) {
        var parameters = context.parameters();
        this.backend = context.backend();
        this.region = region;
        this.norm = new RmsNorm(
                backend,
                parameters,
                module + ".post_attention_layernorm",
                shard.config().layerNormEpsilon());
        this.gate_proj = new Linear(backend, parameters, module + ".mlp.gate_proj");
        this.up_proj = new Linear(backend, parameters, module + ".mlp.up_proj");
        this.down_proj = new Linear(backend, parameters, module + ".mlp.down_proj");
    }

    /** Overwrites y_BTC and saved. a_BTC may be saved.h_BTC itself, or lie in buffer 0. */
    void forward(Tensor y_BTC, Tensor a_BTC, Tensor x_BTC, Saved saved) {
        expand(a_BTC, x_BTC, saved);
        Tensor partial_BTC = region.partial(y_BTC, 0);
        down_proj.forward(partial_BTC, saved.s_BTF);
        region.sumInto(y_BTC, partial_BTC, 0);
        backend.add(y_BTC, saved.h_BTC);
    }

    /** Overwrites saved: all of forward but its output. a_BTC may be saved.h_BTC itself, or lie in buffer 0. */
    void expand(Tensor a_BTC, Tensor x_BTC, Saved saved) {
        norm.addForward(saved.h_BTC, saved.n_BTC, saved.rstd_BT, a_BTC, x_BTC);
        Tensor n_BTC = region.gather(saved.n_BTC, 0);
        gate_proj.forward(saved.gate_BTF, n_BTC);
        up_proj.forward(saved.up_BTF, n_BTC);
        backend.swiglu(saved.s_BTF, saved.gate_BTF, saved.up_BTF);
    }

    /** Overwrites all of saved but h and the two factors, which are there: no matrix product runs again. */
    void recomputeFromProducts(Saved saved) {
        norm.forward(saved.n_BTC, saved.rstd_BT, saved.h_BTC);
        backend.swiglu(saved.s_BTF, saved.gate_BTF, saved.up_BTF);
    }

    /** Overwrites stash, stash.dh_BTC being the gradient of x and of a alike. Accumulates (+=) the gradient of the norm's gain. {@code wide_BTC}: see {@link Linear#sumOf}. */
    void backwardInput(Tensor dy_BTC, Saved saved, Stash stash, @Nullable Tensor wide_BTC) {
        Tensor dn_BTC = branch(region.gather(dy_BTC, 0), saved, stash, wide_BTC);
        // forward: n = rms_2(h), and y = h + ..., where h = x + a
        norm.backward(stash.dh_BTC, region.sum(dn_BTC, 2), dy_BTC, saved.h_BTC, saved.rstd_BT);
    }

    /** Accumulates (+=) the gradients of the three projections. */
    void backwardWeight(Tensor dy_BTC, Saved saved, Stash stash) {
        // forward: y = h + s W_down'
        down_proj.backwardWeight(region.gather(dy_BTC, 0), saved.s_BTF);
        factors(region.gather(saved.n_BTC, 0), stash);
    }

    /** {@link #backwardInput} and {@link #backwardWeight}, the latter while the group communicates. Returns stash.dh_BTC of all tokens, that or buffer 1. */
    Tensor backward(Tensor dy_BTC, Saved saved, Stash stash, @Nullable Tensor wide_BTC) {
        Tensor dyAll_BTC = region.gather(dy_BTC, 0);
        Tensor nAll_BTC = region.startGather(saved.n_BTC, 1);
        Tensor dn_BTC = branch(dyAll_BTC, saved, stash, wide_BTC);
        region.await();
        region.startSum(dn_BTC);
        factors(nAll_BTC, stash);
        // forward: n = rms_2(h), and y = h + ..., where h = x + a
        norm.backward(stash.dh_BTC, region.awaitSum(dn_BTC, 2), dy_BTC, saved.h_BTC, saved.rstd_BT);
        Tensor dhAll_BTC = region.startGather(stash.dh_BTC, 1);
        // forward: y = h + s W_down'
        down_proj.backwardWeight(dyAll_BTC, saved.s_BTF);
        region.await();
        return dhAll_BTC;
    }

    /** This rank's term of the gradient of n, in buffer 2 or stash.dh_BTC. Overwrites stash.dgate_BTF and stash.dup_BTF. */
    private Tensor branch(Tensor dy_BTC, Saved saved, Stash stash, @Nullable Tensor wide_BTC) {
        // forward: y = h + s W_down'
        Tensor ds_BTF = stash.dgate_BTF;
        down_proj.backwardInput(ds_BTF, dy_BTC);
        region.poll();
        // forward: s = silu(gate) * up
        backend.swigluBackward(stash.dgate_BTF, stash.dup_BTF, ds_BTF, saved.gate_BTF, saved.up_BTF);
        region.poll();
        // forward: gate = n W_gate', up = n W_up'
        Tensor dn_BTC = region.partial(stash.dh_BTC, 2);
        Tensor sum_BTC = Linear.sumOf(dn_BTC, wide_BTC);
        gate_proj.backwardInput(sum_BTC, stash.dgate_BTF);
        up_proj.addBackwardInput(sum_BTC, stash.dup_BTF);
        if (sum_BTC != dn_BTC) {
            backend.copy(dn_BTC, sum_BTC);
        }
        return dn_BTC;
    }

    private void factors(Tensor n_BTC, Stash stash) {
        // forward: gate = n W_gate', up = n W_up'
        gate_proj.backwardWeight(stash.dgate_BTF, n_BTC);
        up_proj.backwardWeight(stash.dup_BTF, n_BTC);
    }
}
