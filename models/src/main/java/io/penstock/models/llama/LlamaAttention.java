package io.penstock.models.llama;

import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The attention half of a block, without its residual: n = rms_1(x); q = rotary(n W_q'), k = rotary(n W_k'), v = n W_v'; o = softmax(q k' / sqrt(H), causal) v;
 * a = o W_o'. Touvron et al. 2023; groups of query heads share keys and values after Ainslie et al. 2023. Over a group each rank has N/tp and Nkv/tp of the heads.
 */
final class LlamaAttention {
    private static final String ATTENDED_GRADIENT = "dattended";

    /** What backward needs beside x; q and k as they are after their rotation. */
    record Saved(Tensor n_BTC, Tensor rstd_BT, Tensor q_BTC, Tensor k_BTK, Tensor v_BTK, Tensor o_BTC, Tensor lse_BNT) {
        static TensorTable table(LlamaShard shard, MicroBatchShape microBatch, DType compute) {
            Shape queries = LlamaShard.all(microBatch, shard.queryWidth());
            Shape keys = LlamaShard.all(microBatch, shard.keyValueWidth());
            Shape lse = Shape.of(microBatch.batch(), shard.heads(), microBatch.sequence());
            return TensorTable.builder()
                    .add("normed", compute, shard.held(microBatch))
                    .add("rstd", compute.accumulator(), shard.heldStatistics(microBatch))
                    .add("q", compute, queries)
                    .add("k", compute, keys)
                    .add("v", compute, keys)
                    .add("attended", compute, queries)
                    .add("lse", compute.accumulator(), lse)
                    .build();
        }

        /** The names that {@link #recomputeFromProducts} needs. */
        static final Set<String> PRODUCTS = Set.of("q", "k", "v");

        static Saved of(TensorSource slot) {
            return new Saved(
                    slot.tensor("normed"),
                    slot.tensor("rstd"),
                    slot.tensor("q"),
                    slot.tensor("k"),
                    slot.tensor("v"),
                    slot.tensor("attended"),
                    slot.tensor("lse"));
        }
    }

    /** What the weight gradients need beside da. */
    record Stash(Tensor dq_BTC, Tensor dk_BTK, Tensor dv_BTK) {
        static TensorTable table(LlamaShard shard, MicroBatchShape microBatch, DType compute) {
            Shape keys = LlamaShard.all(microBatch, shard.keyValueWidth());
            return TensorTable.builder()
                    .add("dq", compute, LlamaShard.all(microBatch, shard.queryWidth()))
                    .add("dk", compute, keys)
                    .add("dv", compute, keys)
                    .build();
        }

        static Stash of(TensorSource slot) {
            return new Stash(slot.tensor("dq"), slot.tensor("dk"), slot.tensor("dv"));
        }
    }

    private final Backend backend;
    private final ParallelRegion region;
    private final AttentionShape shape;
    private final double theta;
    private final RmsNorm norm;
    private final Linear q_proj;
    private final Linear k_proj;
    private final Linear v_proj;
    private final Linear o_proj;
    /** The gradient of o where it is narrower than x, (B,T,C/tp). */
    private final @Nullable Tensor do_BTC;

    /** {@code module}: "model.layers.0". */
    LlamaAttention(LayerContext context, String module, LlamaShard shard, ParallelRegion region) {
        var parameters = context.parameters();
        this.backend = context.backend();
        this.region = region;
        this.shape = shard.attention(context.microBatch());
        this.theta = shard.config().ropeTheta();
        this.norm = new RmsNorm(
                backend, parameters, module + ".input_layernorm", shard.config().layerNormEpsilon());
        this.q_proj = new Linear(backend, parameters, module + ".self_attn.q_proj");
        this.k_proj = new Linear(backend, parameters, module + ".self_attn.k_proj");
        this.v_proj = new Linear(backend, parameters, module + ".self_attn.v_proj");
        this.o_proj = new Linear(backend, parameters, module + ".self_attn.o_proj");
        this.do_BTC = shard.split().isWhole() ? null : context.scratch().tensor(ATTENDED_GRADIENT);
    }

    /** What backward works in beside the region's buffers: nothing where layers are whole. */
    static TensorTable scratch(LlamaShard shard, MicroBatchShape microBatch, DType compute) {
        TensorTable.Builder table = TensorTable.builder();
        if (!shard.split().isWhole()) {
            table.add(ATTENDED_GRADIENT, compute, LlamaShard.all(microBatch, shard.queryWidth()));
        }
        return table.build();
    }

    /** Overwrites saved. Returns a: a_BTC, or with sequence parallelism the held rows of buffer 0, until that is used again. */
    Tensor forward(Tensor a_BTC, Tensor x_BTC, Saved saved) {
        norm.forward(saved.n_BTC, saved.rstd_BT, x_BTC);
        project(region.gather(saved.n_BTC, 0), saved);
        attend(saved);
        Tensor partial_BTC = region.partial(a_BTC, 0);
        o_proj.forward(partial_BTC, saved.o_BTC);
        return region.sum(partial_BTC, 0);
    }

    private void project(Tensor n_BTC, Saved saved) {
        q_proj.forward(saved.q_BTC, n_BTC);
        k_proj.forward(saved.k_BTK, n_BTC);
        v_proj.forward(saved.v_BTK, n_BTC);
        backend.rotary(saved.q_BTC, saved.q_BTC, shape.headSize(), shape.sequence(), theta);
        backend.rotary(saved.k_BTK, saved.k_BTK, shape.headSize(), shape.sequence(), theta);
    }

    private void attend(Saved saved) {
        backend.attention(saved.o_BTC, saved.lse_BNT, saved.q_BTC, saved.k_BTK, saved.v_BTK, shape);
    }

    /** Overwrites all of saved but q, k and v, which are there: no matrix product runs again. */
    void recomputeFromProducts(Tensor x_BTC, Saved saved) {
        norm.forward(saved.n_BTC, saved.rstd_BT, x_BTC);
        attend(saved);
    }

    /**
     * Overwrites dx_BTC with the gradient of x + a, which is da_BTC for the residual plus what comes through the branch, and stash. Accumulates (+=) the gradient of the
     * norm's gain. dx_BTC may not alias da_BTC: it holds the branch's gradients on the way. {@code wide_BTC}: see {@link Linear#sumOf}.
     */
    void backwardInput(
            Tensor dx_BTC, Tensor da_BTC, Tensor x_BTC, Saved saved, Stash stash, @Nullable Tensor wide_BTC) {
        Tensor dn_BTC = branch(dx_BTC, region.gather(da_BTC, 0), saved, stash, wide_BTC);
        // forward: n = rms_1(x), and x + a
        norm.backward(dx_BTC, region.sum(dn_BTC, 2), da_BTC, x_BTC, saved.rstd_BT);
    }

    /** Accumulates (+=) the gradients of the four projections. */
    void backwardWeight(Tensor da_BTC, Saved saved, Stash stash) {
        weights(region.gather(da_BTC, 0), region.gather(saved.n_BTC, 1), saved, stash);
    }

    /** {@link #backwardInput} and {@link #backwardWeight}, the latter while partial products are summed. {@code daAll_BTC}: all tokens of da, not in buffer 0. */
    void backward(
            Tensor dx_BTC,
            Tensor da_BTC,
            Tensor daAll_BTC,
            Tensor x_BTC,
            Saved saved,
            Stash stash,
            @Nullable Tensor wide_BTC) {
        Tensor nAll_BTC = region.startGather(saved.n_BTC, 0);
        Tensor dn_BTC = branch(dx_BTC, daAll_BTC, saved, stash, wide_BTC);
        region.await();
        region.startSum(dn_BTC);
        weights(daAll_BTC, nAll_BTC, saved, stash);
        // forward: n = rms_1(x), and x + a
        norm.backward(dx_BTC, region.awaitSum(dn_BTC, 2), da_BTC, x_BTC, saved.rstd_BT);
    }

    /** This rank's term of the gradient of n, in buffer 2 or dx_BTC. Overwrites stash. */
    private Tensor branch(Tensor dx_BTC, Tensor da_BTC, Saved saved, Stash stash, @Nullable Tensor wide_BTC) {
        // forward: a = o W_o'
        Tensor do_BTC = this.do_BTC == null ? dx_BTC : this.do_BTC;
        o_proj.backwardInput(do_BTC, da_BTC);
        region.poll();
        attentionGradient(do_BTC, saved, stash);
        region.poll();
        // forward: q = rotary(n W_q'), k = rotary(n W_k'), v = n W_v'
        Tensor dn_BTC = region.partial(dx_BTC, 2);
        Tensor sum_BTC = Linear.sumOf(dn_BTC, wide_BTC);
        q_proj.backwardInput(sum_BTC, stash.dq_BTC);
        k_proj.addBackwardInput(sum_BTC, stash.dk_BTK);
        v_proj.addBackwardInput(sum_BTC, stash.dv_BTK);
        if (sum_BTC != dn_BTC) {
            backend.copy(dn_BTC, sum_BTC);
        }
        return dn_BTC;
    }

    /** Overwrites stash with the gradients of q, k and v before their rotation. */
    private void attentionGradient(Tensor do_BTC, Saved saved, Stash stash) {
        // forward: o, lse = attention(q, k, v)
        backend.attentionBackward(
                stash.dq_BTC,
                stash.dk_BTK,
                stash.dv_BTK,
                do_BTC,
                saved.o_BTC,
                saved.lse_BNT,
                saved.q_BTC,
                saved.k_BTK,
                saved.v_BTK,
                shape);
        // forward: q and k are turned
        backend.rotaryBackward(stash.dq_BTC, stash.dq_BTC, shape.headSize(), shape.sequence(), theta);
        backend.rotaryBackward(stash.dk_BTK, stash.dk_BTK, shape.headSize(), shape.sequence(), theta);
    }

    /** Of all tokens. */
    private void weights(Tensor da_BTC, Tensor n_BTC, Saved saved, Stash stash) {
        // forward: a = o W_o'
        o_proj.backwardWeight(da_BTC, saved.o_BTC);
        region.poll();
        // forward: q, k, v of n
        q_proj.backwardWeight(stash.dq_BTC, n_BTC);
        k_proj.backwardWeight(stash.dk_BTK, n_BTC);
        v_proj.backwardWeight(stash.dv_BTK, n_BTC);
    }
}
