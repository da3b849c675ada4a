package io.penstock.jmh.peer;

import io.penstock.models.ModelConfig;
import io.penstock.tensor.DType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2 as a PyTorch user would write it: eager, standard layers, autograd, {@code clip_grad_norm_} and {@code AdamW} of libtorch; parameters, gradients and optimizer
 * states all in one dtype. Parameters have Hugging Face's names and layouts (linear weights are (in, out)). One thread at a time.
 */
public final class LibtorchGpt2 implements AutoCloseable {
    /** Of {@link #optimizer}; weight decay acts on matrices. */
    public record AdamWSettings(double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {}

    private final ModelConfig config;
    private final DType dtype;
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final TensorVector all = new TensorVector();
    private @Nullable AdamW optimizer;

    /** Initialised as GPT-2 is: matrices from a normal of {@code initializer_range}, gains 1, biases 0. {@code dtype}: F32 or BF16. */
    public LibtorchGpt2(ModelConfig config, DType dtype, long seed) {
        this.config = config;
        this.dtype = dtype;
        torch.manual_seed(seed);
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
        parameters.values().forEach(all::push_back);
    }

    private void norm(String module, long size) {
        vector(module + ".weight", 1, size);
        vector(module + ".bias", 0, size);
    }

    private void linear(String module, long in, long out) {
        matrix(module + ".weight", in, out);
        vector(module + ".bias", 0, out);
    }

    private void matrix(String name, long rows, long columns) {
        try (var scope = new PointerScope()) {
            register(scope, name, Libtorch.normal(config.initializerRange(), dtype, rows, columns));
        }
    }

    private void vector(String name, float value, long size) {
        float[] values = new float[Math.toIntExact(size)];
        Arrays.fill(values, value);
        try (var scope = new PointerScope()) {
            register(scope, name, Libtorch.tensor(values, dtype, size));
        }
    }

    /** Keeps the tensor beyond the scope it was made in. */
    private void register(PointerScope scope, String name, Tensor value) {
        Tensor parameter = value.detach();
        parameter.set_requires_grad(true);
        parameter.retainReference();
        scope.detach(parameter);
        parameters.put(name, parameter);
    }

    public List<String> names() {
        return List.copyOf(parameters.keySet());
    }

    public long[] shape(String name) {
        return parameter(name).shape();
    }

    private Tensor parameter(String name) {
        Tensor parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalStateException("no parameter '" + name + "'");
        }
        return parameter;
    }

    /** Row-major. */
    public float[] get(String name) {
        try (var _ = new PointerScope()) {
            return Libtorch.floats(parameter(name));
        }
    }

    /** Overwrites a parameter, rounding to the model's dtype. */
    public void set(String name, float[] values) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            Tensor parameter = parameter(name);
            parameter.copy_(Libtorch.tensor(values, dtype, parameter.shape()));
        }
    }

    /** What {@link #backward} accumulated since {@link #zeroGradients}. */
    public float[] gradient(String name) {
        try (var _ = new PointerScope()) {
            return Libtorch.floats(parameter(name).grad());
        }
    }

    /** Logits (B, T, V) of {@code tokens} (B, T), without gradients. */
    public float[] logits(int[] tokens, int batch, int sequence) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            return Libtorch.floats(logits(Libtorch.ids(tokens, batch, sequence), batch, sequence));
        }
    }

    /** Mean loss a token in nats; its gradients are added to those of the parameters. */
    public double backward(int[] tokens, int[] targets, int batch, int sequence) {
        try (var _ = new PointerScope()) {
            Tensor logits_RV = logits(Libtorch.ids(tokens, batch, sequence), batch, sequence)
                    .view((long) batch * sequence, config.vocabSize());
            Tensor loss = torch.cross_entropy_loss(logits_RV, Libtorch.ids(targets, (long) batch * sequence));
            loss.backward();
            return loss.item().toDouble();
        }
    }

    private Tensor logits(Tensor tokens_BT, int batch, int sequence) {
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

    /** Scales the gradients to a global norm of at most {@code limit}; returns the norm before. */
    public double clip(double limit) {
        return torch.clip_grad_norm_(all, limit);
    }

    /** Starts AdamW with fresh moments. */
    public void optimizer(AdamWSettings settings) {
        TensorVector matrices = new TensorVector();
        TensorVector vectors = new TensorVector();
        parameters.values().forEach(p -> (p.dim() == 2 ? matrices : vectors).push_back(p));
        AdamW created = new AdamW(matrices, options(settings, settings.weightDecay()));
        created.add_param_group(new OptimizerParamGroup(vectors, options(settings, 0)));
        optimizer = created;
    }

    private static AdamWOptions options(AdamWSettings settings, double weightDecay) {
        AdamWOptions options = new AdamWOptions(settings.learningRate());
        // a std::tuple, which libstdc++ lays out last element first
        options.betas().put(0, settings.beta2()).put(1, settings.beta1());
        options.eps().put(settings.epsilon());
        options.weight_decay().put(weightDecay);
        return options;
    }

    /** One update by the gradients, which stay. */
    public void step() {
        AdamW started = optimizer;
        if (started == null) {
            throw new IllegalStateException("step() before optimizer()");
        }
        try (var _ = new PointerScope()) {
            started.step();
        }
    }

    public void zeroGradients() {
        try (var _ = new PointerScope()) {
            parameters.values().forEach(p -> p.mutable_grad().reset());
        }
    }

    @Override
    public void close() {
        AdamW started = optimizer;
        if (started != null) {
            started.close();
            optimizer = null;
        }
        all.close();
        parameters.values().forEach(Tensor::close);
        parameters.clear();
    }
}
