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
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A model as a PyTorch user would write it: eager, standard layers, autograd, {@code clip_grad_norm_} and {@code AdamW} of libtorch; parameters, gradients and optimizer
 * states all in one dtype. Parameters have Hugging Face's names and layouts (linear weights are (in, out)). One thread at a time.
 */
public abstract sealed class LibtorchModel implements AutoCloseable permits LibtorchGpt2, LibtorchLlama {
    /** Of {@link #optimizer}; weight decay acts on matrices. */
    public record AdamWSettings(double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {}

    final ModelConfig config;
    private final DType dtype;
    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final TensorVector all = new TensorVector();
    private @Nullable AdamW optimizer;

    /** Draws from {@code seed}; subclasses then make their {@link #matrix} and {@link #vector}, and call {@link #made}. {@code dtype}: F32 or BF16. */
    LibtorchModel(ModelConfig config, DType dtype, long seed) {
        this.config = config;
        this.dtype = dtype;
        torch.manual_seed(seed);
    }

    final DType dtype() {
        return dtype;
    }

    /** All parameters are made. */
    final void made() {
        parameters.values().forEach(all::push_back);
    }

    /** From a normal of {@code initializer_range}. */
    final void matrix(String name, long rows, long columns) {
        try (var scope = new PointerScope()) {
            register(scope, name, Libtorch.normal(config.initializerRange(), dtype, rows, columns));
        }
    }

    final void vector(String name, float value, long size) {
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

    public final List<String> names() {
        return List.copyOf(parameters.keySet());
    }

    public final long[] shape(String name) {
        return parameter(name).shape();
    }

    final Tensor parameter(String name) {
        Tensor parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalStateException("no parameter '" + name + "'");
        }
        return parameter;
    }

    /** Row-major. */
    public final float[] get(String name) {
        try (var _ = new PointerScope()) {
            return Libtorch.floats(parameter(name));
        }
    }

    /** Overwrites a parameter, rounding to the model's dtype. */
    public final void set(String name, float[] values) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            Tensor parameter = parameter(name);
            parameter.copy_(Libtorch.tensor(values, dtype, parameter.shape()));
        }
    }

    /** What {@link #backward} accumulated since {@link #zeroGradients}. */
    public final float[] gradient(String name) {
        try (var _ = new PointerScope()) {
            return Libtorch.floats(parameter(name).grad());
        }
    }

    /** Logits (B, T, V) of {@code tokens} (B, T), without gradients. */
    public final float[] logits(int[] tokens, int batch, int sequence) {
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            return Libtorch.floats(logits(Libtorch.ids(tokens, batch, sequence), batch, sequence));
        }
    }

    /** Mean loss a token in nats; its gradients are added to those of the parameters. */
    public final double backward(int[] tokens, int[] targets, int batch, int sequence) {
        try (var _ = new PointerScope()) {
            Tensor logits_RV = logits(Libtorch.ids(tokens, batch, sequence), batch, sequence)
                    .view((long) batch * sequence, config.vocabSize());
            Tensor loss = torch.cross_entropy_loss(logits_RV, Libtorch.ids(targets, (long) batch * sequence));
            loss.backward();
            return loss.item().toDouble();
        }
    }

    /** (B, T, V), with gradients. */
    abstract Tensor logits(Tensor tokens_BT, int batch, int sequence);

    /** Scales the gradients to a global norm of at most {@code limit}; returns the norm before. */
    public final double clip(double limit) {
        return torch.clip_grad_norm_(all, limit);
    }

    /** Starts AdamW with fresh moments. */
    public final void optimizer(AdamWSettings settings) {
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
    public final void step() {
        AdamW started = optimizer;
        if (started == null) {
            throw new IllegalStateException("step() before optimizer()");
        }
        try (var _ = new PointerScope()) {
            started.step();
        }
    }

    public final void zeroGradients() {
        try (var _ = new PointerScope()) {
            parameters.values().forEach(p -> p.mutable_grad().reset());
        }
    }

    @Override
    public final void close() {
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
