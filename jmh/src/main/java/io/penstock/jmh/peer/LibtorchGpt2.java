package io.penstock.jmh.peer;

import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** GPT-2 of standard layers, with Hugging Face's names and layouts: linear weights are (in, out). */
public final class LibtorchGpt2 extends LibtorchModel {
    /** Initialised as GPT-2 is: matrices from a normal of {@code initializer_range}, gains 1, biases 0. {@code dtype}: F32 or BF16. */
    public LibtorchGpt2(ModelConfig config, DType dtype, long seed) {
        super(config, dtype, seed);
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        matrix("transformer.wte.weight", config.vocabSize(), c);
        matrix("transformer.wpe.weight", config.maxPositionEmbeddings(), c);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String h = "transformer.h." + i;
            norm(h + ".ln_1", c);
            linear(h + ".attn.c_attn", c, 3 * c);
            linear(h + ".attn.c_proj", c, c);
            norm(h + ".ln_2", c);
            linear(h + ".mlp.c_fc", c, f);
            linear(h + ".mlp.c_proj", f, c);
        }
        norm("transformer.ln_f", c);
        if (!config.tieWordEmbeddings()) {
            matrix("lm_head.weight", config.vocabSize(), c);
        }
        made();
    }

    private void norm(String module, long size) {
        vector(module + ".weight", 1, size);
        vector(module + ".bias", 0, size);
    }

    private void linear(String module, long in, long out) {
        matrix(module + ".weight", in, out);
        vector(module + ".bias", 0, out);
    }

    @Override
    Tensor logits(Tensor tokens_BT, int batch, int sequence) {
        Tensor wte_VC = parameter("transformer.wte.weight");
        Tensor wpe_TC = parameter("transformer.wpe.weight").narrow(0, 0, sequence);
        Tensor x_BTC = torch.embedding(wte_VC, tokens_BT).add(wpe_TC);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String h = "transformer.h." + i;
            x_BTC = x_BTC.add(attention(h + ".attn", layerNorm(h + ".ln_1", x_BTC), batch, sequence));
            Tensor f_BTF = affine(h + ".mlp.c_fc", layerNorm(h + ".ln_2", x_BTC));
            x_BTC = x_BTC.add(affine(h + ".mlp.c_proj", torch.gelu(f_BTF, "tanh")));
        }
        Tensor head_VC = config.tieWordEmbeddings() ? wte_VC : parameter("lm_head.weight");
        return torch.linear(layerNorm("transformer.ln_f", x_BTC), head_VC);
    }

    private Tensor layerNorm(String module, Tensor x_BTC) {
        TensorOptional gain_C = new TensorOptional(parameter(module + ".weight"));
        TensorOptional bias_C = new TensorOptional(parameter(module + ".bias"));
        return torch.layer_norm(
                x_BTC, new long[] {config.hiddenSize()}, gain_C, bias_C, config.layerNormEpsilon(), true);
    }

    private Tensor affine(String module, Tensor x_BTI) {
        Tensor w_IO = parameter(module + ".weight");
        Tensor y_RO = torch.addmm(parameter(module + ".bias"), x_BTI.view(-1, w_IO.size(0)), w_IO);
        return y_RO.view(x_BTI.size(0), x_BTI.size(1), w_IO.size(1));
    }

    private Tensor attention(String module, Tensor x_BTC, int batch, int sequence) {
        TensorVector qkv = affine(module + ".c_attn", x_BTC).split(config.hiddenSize(), 2);
        Tensor o_BNTH = torch.scaled_dot_product_attention(
                heads(qkv.get(0), batch, sequence),
                heads(qkv.get(1), batch, sequence),
                heads(qkv.get(2), batch, sequence),
                new TensorOptional(),
                0,
                true,
                new DoubleOptional(),
                false);
        Tensor o_BTC = o_BNTH.transpose(1, 2).contiguous().view(batch, sequence, config.hiddenSize());
        return affine(module + ".c_proj", o_BTC);
    }

    private Tensor heads(Tensor x_BTC, int batch, int sequence) {
        return x_BTC.view(batch, sequence, config.numAttentionHeads(), config.headSize())
                .transpose(1, 2);
    }
}
