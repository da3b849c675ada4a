package io.penstock.models.llama;

import io.penstock.models.Block;
import io.penstock.models.Recomputation;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import org.jspecify.annotations.Nullable;

/** h = x + attention(rms_1(x)); y = h + mlp(rms_2(h)). Touvron et al. 2023. */
final class LlamaBlock implements Block<LlamaBlock.Saved, LlamaBlock.Stash> {
    static final String ATTENTION = "attention.";
    static final String MLP = "mlp.";
    /** Of the stash: the gradient of a norm's output in the accumulator type, which several products add to, where the compute type is another. */
    static final String WIDE = "dnormed";

    record Saved(LlamaAttention.Saved attention, LlamaMlp.Saved mlp) {}

    record Stash(
            LlamaAttention.Stash attention,
            LlamaMlp.Stash mlp,
            @Nullable Tensor wide_BTC) {}

    private final LlamaAttention attention;
    private final LlamaMlp mlp;
    private final boolean wide;

    LlamaBlock(LlamaAttention attention, LlamaMlp mlp, boolean wide) {
        this.attention = attention;
        this.mlp = mlp;
        this.wide = wide;
    }

    @Override
    public Saved saved(TensorSource slot) {
        return new Saved(LlamaAttention.Saved.of(slot.under(ATTENTION)), LlamaMlp.Saved.of(slot.under(MLP)));
    }

    @Override
    public Stash stash(TensorSource slot) {
        return new Stash(
                LlamaAttention.Stash.of(slot.under(ATTENTION)),
                LlamaMlp.Stash.of(slot.under(MLP)),
                wide ? slot.tensor(WIDE) : null);
    }

    @Override
    public void forward(Tensor y_BTC, Tensor x_BTC, Saved saved) {
        Tensor a_BTC = attention.forward(saved.mlp.h_BTC(), x_BTC, saved.attention);
        mlp.forward(y_BTC, a_BTC, x_BTC, saved.mlp);
    }

    /** Of everything the last matrix product is left out: its output is the next layer's input, which is kept. */
    @Override
    public void recompute(Tensor scratch_BTC, Tensor x_BTC, Saved saved, Recomputation recomputation) {
        switch (recomputation) {
            case NONE -> {}
            case SELECTIVE -> {
                attention.recomputeFromProducts(x_BTC, saved.attention);
                mlp.recomputeFromProducts(saved.mlp);
            }
            case FULL -> {
                Tensor a_BTC = attention.forward(saved.mlp.h_BTC(), x_BTC, saved.attention);
                mlp.expand(a_BTC, x_BTC, saved.mlp);
            }
        }
    }

    @Override
    public void backwardInput(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, Saved saved, Stash stash) {
        // forward: y = mlp(x + a)
        mlp.backwardInput(dy_BTC, saved.mlp, stash.mlp, stash.wide_BTC);
        // forward: a = attention(x)
        attention.backwardInput(dx_BTC, stash.mlp.dh_BTC(), x_BTC, saved.attention, stash.attention, stash.wide_BTC);
    }

    @Override
    public void backwardWeight(Tensor dy_BTC, Tensor x_BTC, Saved saved, Stash stash) {
        // forward: y = mlp(x + a)
        mlp.backwardWeight(dy_BTC, saved.mlp, stash.mlp);
        // forward: a = attention(x)
        attention.backwardWeight(stash.mlp.dh_BTC(), saved.attention, stash.attention);
    }

    @Override
    public void backward(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, Saved saved, Stash stash) {
        // forward: y = mlp(x + a)
        Tensor dhAll_BTC = mlp.backward(dy_BTC, saved.mlp, stash.mlp, stash.wide_BTC);
        // forward: a = attention(x)
        attention.backward(
                dx_BTC, stash.mlp.dh_BTC(), dhAll_BTC, x_BTC, saved.attention, stash.attention, stash.wide_BTC);
    }
}
