package io.penstock.models.gpt2;

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
 * The attention half of a block, without its residual: n = ln_1(x); [q k v] = n W_qkv + b_qkv; o = softmax(q k' / sqrt(H), causal) v;
 * a = o W_o + b_o. Vaswani et al. 2017, pre-norm as in Radford et al. 2019. Over a group each rank has N/tp of the heads.
 */
final class Gpt2Attention {
    private static final String ATTENDED_GRADIENT = "dattended";

    /** What backward needs beside x; q, k and v are the three blocks of columns of qkv. */
    record Saved(
            Tensor n_BTC,
            Tensor mean_BT,
            Tensor rstd_BT,
            Tensor qkv_BT3C,
            Tensor q_BTC,
            Tensor k_BTC,
            Tensor v_BTC,
            Tensor o_BTC,
            Tensor lse_BNT) {
        static TensorTable table(Gpt2Shard shard, MicroBatchShape microBatch, DType compute) {
            long width = shard.attentionWidth();
            Shape lse = Shape.of(microBatch.batch(), shard.heads(), microBatch.sequence());
            return TensorTable.builder()
                    .add("normed", compute, shard.held(microBatch))
                    .add("mean", compute.accumulator(), shard.heldStatistics(microBatch))
                    .add("rstd", compute.accumulator(), shard.heldStatistics(microBatch))
                    .add("qkv", compute, Gpt2Shard.all(microBatch, 3 * width))
                    .add("attended", compute, Gpt2Shard.all(microBatch, width))
                    .add("lse", compute.accumulator(), lse)
                    .build();
        }

        /** The names that {@link #recomputeFromProducts} needs. */
        static final Set<String> PRODUCTS = Set.of("qkv");

        static Saved of(TensorSource slot) {
            Tensor qkv_BT3C = slot.tensor("qkv");
            long c = qkv_BT3C.shape().last() / 3;
            return new Saved(
                    slot.tensor("normed"),
                    slot.tensor("mean"),
                    slot.tensor("rstd"),
                    qkv_BT3C,
                    qkv_BT3C.columns(0, c),
                    qkv_BT3C.columns(c, c),
                    qkv_BT3C.columns(2 * c, c),
                    slot.tensor("attended"),
                    slot.tensor("lse"));
        }
    }

    /** What the weight gradient needs beside da. */
    record Stash(Tensor dqkv_BT3C, Tensor dq_BTC, Tensor dk_BTC, Tensor dv_BTC) {
        static TensorTable table(Gpt2Shard shard, MicroBatchShape microBatch, DType compute) {
            Shape shape = Gpt2Shard.all(microBatch, 3 * shard.attentionWidth());
            return TensorTable.builder().add("dqkv", compute, shape).build();
        }

        static Stash of(TensorSource slot) {
            Tensor dqkv_BT3C = slot.tensor("dqkv");
            long c = dqkv_BT3C.shape().last() / 3;
            return new Stash(dqkv_BT3C, dqkv_BT3C.columns(0, c), dqkv_BT3C.columns(c, c), dqkv_BT3C.columns(2 * c, c));
        }
    }

    private final Backend backend;
    private final ParallelRegion region;
    private final AttentionShape shape;
    private final float epsilon;
    private final NormParameters ln_1;
    private final Affine c_attn;
    private final Affine c_proj;
    /** The gradient of o where it is narrower than x, (B,T,C/tp). */
    private final @Nullable Tensor do_BTC;

    /** {@code module}: "transformer.h.0". */
    Gpt2Attention(LayerContext context, String module, Gpt2Shard shard, ParallelRegion region) {
        this.backend = context.backend();
        this.region = region;
        this.shape = shard.attention(context.microBatch());
        this.epsilon = shard.config().layerNormEpsilon();
        this.ln_1 = NormParameters.of(context.parameters(), module + ".ln_1");
        this.c_attn = Affine.byColumns(backend, context.parameters(), module + ".attn.c_attn");
        this.c_proj = Affine.byRows(backend, context.parameters(), module + ".attn.c_proj", shard.split());
        this.do_BTC = shard.split().isWhole() ? null : context.scratch().tensor(ATTENDED_GRADIENT);
    }

    /** What backward works in beside the region's buffers: nothing where layers are whole. */
    static TensorTable scratch(Gpt2Shard shard, MicroBatchShape microBatch, DType compute) {
        TensorTable.Builder table = TensorTable.builder();
        if (!shard.split().isWhole()) {
            table.add(ATTENDED_GRADIENT, compute, Gpt2Shard.all(microBatch, shard.attentionWidth()));
        }
        return table.build();
    }

    /** Overwrites saved. Returns a: a_BTC, or with sequence parallelism the held rows of buffer 0, until that is used again. */
    Tensor forward(Tensor a_BTC, Tensor x_BTC, Saved saved) {
        norm(x_BTC, saved);
        c_attn.forward(saved.qkv_BT3C, region.gather(saved.n_BTC, 0));
        attend(saved);
        Tensor partial_BTC = region.partial(a_BTC, 0);
        c_proj.forward(partial_BTC, saved.o_BTC);
        return region.sum(partial_BTC, 0);
    }

    private void norm(Tensor x_BTC, Saved saved) {
        backend.layerNorm(saved.n_BTC, saved.mean_BT, saved.rstd_BT, x_BTC, ln_1.gain_C(), ln_1.bias_C(), epsilon);
    }

    private void attend(Saved saved) {
        backend.attention(saved.o_BTC, saved.lse_BNT, saved.q_BTC, saved.k_BTC, saved.v_BTC, shape);
    }

    /** Overwrites all of saved but qkv, which is there: no matrix product runs again. */
    void recomputeFromProducts(Tensor x_BTC, Saved saved) {
        norm(x_BTC, saved);
        attend(saved);
    }

    /**
     * Overwrites dx_BTC with the gradient of x + a, which is da_BTC for the residual plus what comes through the branch, and stash. Accumulates (+=) the
     * gradients of ln_1. dx_BTC may not alias da_BTC: it holds the branch's gradients on the way.
     */
    void backwardInput(Tensor dx_BTC, Tensor da_BTC, Tensor x_BTC, Saved saved, Stash stash) {
        Tensor dn_BTC = branch(dx_BTC, region.gather(da_BTC, 0), saved, stash);
        normGradient(dx_BTC, region.sum(dn_BTC, 2), da_BTC, x_BTC, saved);
    }

    /** Accumulates (+=) the gradients of c_proj and c_attn. */
    void backwardWeight(Tensor da_BTC, Saved saved, Stash stash) {
        weights(region.gather(da_BTC, 0), region.gather(saved.n_BTC, 1), saved, stash);
    }

    /** {@link #backwardInput} and {@link #backwardWeight}, the latter while partial products are summed. {@code daAll_BTC}: all tokens of da, not in buffer 0. */
    void backward(Tensor dx_BTC, Tensor da_BTC, Tensor daAll_BTC, Tensor x_BTC, Saved saved, Stash stash) {
        Tensor nAll_BTC = region.startGather(saved.n_BTC, 0);
        Tensor dn_BTC = branch(dx_BTC, daAll_BTC, saved, stash);
        region.await();
        region.startSum(dn_BTC);
        weights(daAll_BTC, nAll_BTC, saved, stash);
        normGradient(dx_BTC, region.awaitSum(dn_BTC, 2), da_BTC, x_BTC, saved);
    }

    /** This rank's term of the gradient of n, in buffer 2 or dx_BTC. Overwrites stash. */
    private Tensor branch(Tensor dx_BTC, Tensor da_BTC, Saved saved, Stash stash) {
        // forward: a = o W_o + b_o
        Tensor do_BTC = this.do_BTC == null ? dx_BTC : this.do_BTC;
        c_proj.backwardInput(do_BTC, da_BTC);
        region.poll();
        // forward: o, lse = attention(q, k, v)
        backend.attentionBackward(
                stash.dq_BTC,
                stash.dk_BTC,
                stash.dv_BTC,
                do_BTC,
                saved.o_BTC,
                saved.lse_BNT,
                saved.q_BTC,
                saved.k_BTC,
                saved.v_BTC,
                shape);
        region.poll();
        // forward: qkv = n W_qkv + b_qkv
        Tensor dn_BTC = region.partial(dx_BTC, 2);
        c_attn.backwardInput(dn_BTC, stash.dqkv_BT3C);
        return dn_BTC;
    }

    private void normGradient(Tensor dx_BTC, Tensor dn_BTC, Tensor da_BTC, Tensor x_BTC, Saved saved) {
        // forward: n = ln_1(x), and x + a
        backend.layerNormBackward(
                dx_BTC,
                ln_1.dgain_C(),
                ln_1.dbias_C(),
                dn_BTC,
                da_BTC,
                x_BTC,
                ln_1.gain_C(),
                saved.mean_BT,
                saved.rstd_BT);
    }

    /** Of all tokens. */
    private void weights(Tensor da_BTC, Tensor n_BTC, Saved saved, Stash stash) {
        // forward: a = o W_o + b_o
        c_proj.backwardWeight(da_BTC, saved.o_BTC);
        region.poll();
        // forward: qkv = n W_qkv + b_qkv
        c_attn.backwardWeight(stash.dqkv_BT3C, n_BTC);
    }
}
