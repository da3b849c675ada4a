package io.penstock.models.gpt2;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSource;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.Set;

/**
 * The attention half of a block, without its residual: n = ln_1(x); [q k v] = n W_qkv + b_qkv; o = softmax(q k' / sqrt(H), causal) v;
 * a = o W_o + b_o. Vaswani et al. 2017, pre-norm as in Radford et al. 2019.
 */
final class Gpt2Attention {
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
        static TensorTable table(ModelConfig config, MicroBatchShape microBatch, DType compute) {
            int b = microBatch.batch();
            int t = microBatch.sequence();
            int c = config.hiddenSize();
            return TensorTable.builder()
                    .add("normed", compute, Shape.of(b, t, c))
                    .add("mean", compute.accumulator(), Shape.of(b, t))
                    .add("rstd", compute.accumulator(), Shape.of(b, t))
                    .add("qkv", compute, Shape.of(b, t, 3L * c))
                    .add("attended", compute, Shape.of(b, t, c))
                    .add("lse", compute.accumulator(), Shape.of(b, config.numAttentionHeads(), t))
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
        static TensorTable table(ModelConfig config, MicroBatchShape microBatch, DType compute) {
            Shape shape = Shape.of(microBatch.batch(), microBatch.sequence(), 3L * config.hiddenSize());
            return TensorTable.builder().add("dqkv", compute, shape).build();
        }

        static Stash of(TensorSource slot) {
            Tensor dqkv_BT3C = slot.tensor("dqkv");
            long c = dqkv_BT3C.shape().last() / 3;
            return new Stash(dqkv_BT3C, dqkv_BT3C.columns(0, c), dqkv_BT3C.columns(c, c), dqkv_BT3C.columns(2 * c, c));
        }
    }

    private final Backend backend;
    private final AttentionShape shape;
    private final float epsilon;
    private final NormParameters ln_1;
    private final Affine c_attn;
    private final Affine c_proj;

    /** {@code module}: "transformer.h.0". */
    Gpt2Attention(
            Backend backend, ParameterSource parameters, String module, ModelConfig config, AttentionShape shape) {
        this.backend = backend;
        this.shape = shape;
        this.epsilon = config.layerNormEpsilon();
        this.ln_1 = NormParameters.of(parameters, module + ".ln_1");
        this.c_attn = new Affine(backend, parameters, module + ".attn.c_attn");
        this.c_proj = new Affine(backend, parameters, module + ".attn.c_proj");
    }

    /** Overwrites a_BTC and saved. */
    void forward(Tensor a_BTC, Tensor x_BTC, Saved saved) {
        norm(x_BTC, saved);
        c_attn.forward(saved.qkv_BT3C, saved.n_BTC);
        attend(saved);
        c_proj.forward(a_BTC, saved.o_BTC);
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
        // forward: a = o W_o + b_o
        Tensor do_BTC = dx_BTC;
        c_proj.backwardInput(do_BTC, da_BTC);
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
        // forward: qkv = n W_qkv + b_qkv
        Tensor dn_BTC = dx_BTC;
        c_attn.backwardInput(dn_BTC, stash.dqkv_BT3C);
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

    /** Accumulates (+=) the gradients of c_proj and c_attn. */
    void backwardWeight(Tensor da_BTC, Saved saved, Stash stash) {
        // forward: a = o W_o + b_o
        c_proj.backwardWeight(da_BTC, saved.o_BTC);
        // forward: qkv = n W_qkv + b_qkv
        c_attn.backwardWeight(stash.dqkv_BT3C, saved.n_BTC);
    }
}
