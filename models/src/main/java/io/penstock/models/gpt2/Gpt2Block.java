package io.penstock.models.gpt2;

import io.penstock.models.Block;
import io.penstock.models.Recomputation;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;

/** h = x + attention(ln_1(x)); y = h + mlp(ln_2(h)). Radford et al. 2019. */
final class Gpt2Block implements Block<Gpt2Block.Saved, Gpt2Block.Stash> {
    static final String ATTENTION = "attention.";
    static final String MLP = "mlp.";

    record Saved(Gpt2Attention.Saved attention, Gpt2Mlp.Saved mlp) {}

    record Stash(Gpt2Attention.Stash attention, Gpt2Mlp.Stash mlp) {}

    private final Gpt2Attention attention;
    private final Gpt2Mlp mlp;

    Gpt2Block(Gpt2Attention attention, Gpt2Mlp mlp) {
        this.attention = attention;
        this.mlp = mlp;
    }

    @Override
    public Saved saved(TensorSource slot) {
        return new Saved(Gpt2Attention.Saved.of(slot.under(ATTENTION)), Gpt2Mlp.Saved.of(slot.under(MLP)));
    }

    @Override
    public Stash stash(TensorSource slot) {
        return new Stash(Gpt2Attention.Stash.of(slot.under(ATTENTION)), Gpt2Mlp.Stash.of(slot.under(MLP)));
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
        mlp.backwardInput(dy_BTC, saved.mlp, stash.mlp);
        // forward: a = attention(x)
        attention.backwardInput(dx_BTC, stash.mlp.dh_BTC(), x_BTC, saved.attention, stash.attention);
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
        Tensor dhAll_BTC = mlp.backward(dy_BTC, saved.mlp, stash.mlp);
        // forward: a = attention(x)
        attention.backward(dx_BTC, stash.mlp.dh_BTC(), dhAll_BTC, x_BTC, saved.attention, stash.attention);
    }
}
