package io.penstock.jmh.peer;

import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Llama of standard layers, with Hugging Face's names and layouts: linear weights are (out, in). RMS norm and rotation are written out in single operations, keys and values
 * of a group are repeated for each of its query heads.
 */
public final class LibtorchLlama extends LibtorchModel {
    /** {@code dtype}: F32 or BF16. */
    public LibtorchLlama(ModelConfig config, DType dtype, long seed) {
        super(config, dtype, seed);
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        long kv = (long) config.numKeyValueHeads() * config.headSize();
        matrix("model.embed_tokens.weight", config.vocabSize(), c);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "model.layers." + i;
            vector(layer + ".input_layernorm.weight", 1, c);
            matrix(layer + ".self_attn.q_proj.weight", c, c);
            matrix(layer + ".self_attn.k_proj.weight", kv, c);
            matrix(layer + ".self_attn.v_proj.weight", kv, c);
            matrix(layer + ".self_attn.o_proj.weight", c, c);
            vector(layer + ".post_attention_layernorm.weight", 1, c);
            matrix(layer + ".mlp.gate_proj.weight", f, c);
            matrix(layer + ".mlp.up_proj.weight", f, c);
            matrix(layer + ".mlp.down_proj.weight", c, f);
        }
        vector("model.norm.weight", 1, c);
        if (!config.tieWordEmbeddings()) {
            matrix("lm_head.weight", config.vocabSize(), c);
        }
        made();
    }

    @Override
    Tensor logits(Tensor tokens_BT, int batch, int sequence) {
        Tensor table_VC = parameter("model.embed_tokens.weight");
        Tensor x_BTC = torch.embedding(table_VC, tokens_BT);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "model.layers." + i;
            Tensor n_BTC = norm(layer + ".input_layernorm", x_BTC);
            x_BTC = x_BTC.add(attention(layer + ".self_attn", n_BTC, batch, sequence));
            n_BTC = norm(layer + ".post_attention_layernorm", x_BTC);
            Tensor gate_BTF = torch.silu(linear(layer + ".mlp.gate_proj", n_BTC));
            x_BTC = x_BTC.add(linear(layer + ".mlp.down_proj", gate_BTF.mul(linear(layer + ".mlp.up_proj", n_BTC))));
        }
        Tensor head_VC = config.tieWordEmbeddings() ? table_VC : parameter("lm_head.weight");
        return torch.linear(norm("model.norm", x_BTC), head_VC);
    }

    private Tensor linear(String module, Tensor x_BTI) {
        return torch.linear(x_BTI, parameter(module + ".weight"));
    }

    private Tensor norm(String module, Tensor x_BTC) {
        Tensor squares_BTC = x_BTC.mul(x_BTC);
        Tensor mean_BT1 = squares_BTC.mean(new long[] {2}, true, new ScalarTypeOptional());
        Tensor rstd_BT1 =
                mean_BT1.add(new Scalar((double) config.layerNormEpsilon())).rsqrt();
        return x_BTC.mul(rstd_BT1).mul(parameter(module + ".weight"));
    }

    private Tensor attention(String module, Tensor n_BTC, int batch, int sequence) {
        int n = config.numAttentionHeads();
        int kv = config.numKeyValueHeads();
        Tensor q_BNTH = rotated(heads(linear(module + ".q_proj", n_BTC), batch, sequence, n), sequence);
        Tensor k_BNTH = rotated(heads(linear(module + ".k_proj", n_BTC), batch, sequence, kv), sequence);
        Tensor v_BNTH = heads(linear(module + ".v_proj", n_BTC), batch, sequence, kv);
        Tensor o_BNTH = torch.scaled_dot_product_attention(
                q_BNTH,
                repeated(k_BNTH, n / kv),
                repeated(v_BNTH, n / kv),
                new TensorOptional(),
                0,
                true,
                new DoubleOptional(),
                false);
        Tensor o_BTC = o_BNTH.transpose(1, 2).contiguous().view(batch, sequence, config.hiddenSize());
        return linear(module + ".o_proj", o_BTC);
    }

    private static Tensor repeated(Tensor x_BNTH, int times) {
        return torch.repeat_interleave(x_BNTH, times, new LongOptional(1), new LongOptional());
    }

    private Tensor heads(Tensor x_BTC, int batch, int sequence, int heads) {
        return x_BTC.view(batch, sequence, heads, config.headSize()).transpose(1, 2);
    }

    /** x cos + rotate_half(x) sin, rotate_half(x) = [-x2, x1] of the halves [x1, x2]. */
    private Tensor rotated(Tensor x_BNTH, int sequence) {
        long half = config.headSize() / 2;
        Tensor first = x_BNTH.narrow(3, 0, half);
        Tensor second = x_BNTH.narrow(3, half, half);
        TensorVector halves = new TensorVector(second.neg(), first);
        Tensor turned_BNTH = torch.cat(halves, 3);
        return x_BNTH.mul(angles(sequence, true)).add(turned_BNTH.mul(angles(sequence, false)));
    }

    /** Cosines or sines (T, H) of t theta^(-2h/H), the same for both halves. */
    private Tensor angles(int sequence, boolean cosines) {
        int size = config.headSize();
        float[] values = new float[sequence * size];
        for (int i = 0; i < values.length; i++) {
            int h = i % size % (size / 2);
            int position = i / size;
            double angle = position * Math.pow(config.ropeTheta(), -2.0 * h / size);
            values[i] = (float) (cosines ? Math.cos(angle) : Math.sin(angle));
        }
        return Libtorch.tensor(values, dtype(), sequence, size);
    }
}
