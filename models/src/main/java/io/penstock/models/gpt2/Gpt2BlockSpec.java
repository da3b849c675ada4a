package io.penstock.models.gpt2;

import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSource;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Recomputation;
import io.penstock.models.Work;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** {@link Gpt2Block} described; {@code index} counts blocks from 0. */
record Gpt2BlockSpec(ModelConfig config, int index) implements BlockSpec {
    @Override
    public String name() {
        return "h." + index;
    }

    private String module() {
        return "transformer.h." + index;
    }

    @Override
    public List<ParameterSpec> parameters() {
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        String m = module();
        return List.of(
                Gpt2Parameters.gain(m + ".ln_1", c),
                Gpt2Parameters.bias(m + ".ln_1", c),
                Gpt2Parameters.weight(m + ".attn.c_attn", c, 3 * c, config),
                Gpt2Parameters.bias(m + ".attn.c_attn", 3 * c),
                Gpt2Parameters.residualWeight(m + ".attn.c_proj", c, c, config),
                Gpt2Parameters.bias(m + ".attn.c_proj", c),
                Gpt2Parameters.gain(m + ".ln_2", c),
                Gpt2Parameters.bias(m + ".ln_2", c),
                Gpt2Parameters.weight(m + ".mlp.c_fc", c, f, config),
                Gpt2Parameters.bias(m + ".mlp.c_fc", f),
                Gpt2Parameters.residualWeight(m + ".mlp.c_proj", f, c, config),
                Gpt2Parameters.bias(m + ".mlp.c_proj", c));
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .addAll(Gpt2Block.ATTENTION, Gpt2Attention.Saved.table(config, microBatch, compute))
                .addAll(Gpt2Block.MLP, Gpt2Mlp.Saved.table(config, microBatch, compute))
                .build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .addAll(Gpt2Block.ATTENTION, Gpt2Attention.Stash.table(config, microBatch, compute))
                .addAll(Gpt2Block.MLP, Gpt2Mlp.Stash.table(config, microBatch, compute))
                .build();
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long r = microBatch.rows();
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        long rc = r * c * compute.bytes();
        long rf = r * f * compute.bytes();
        return switch (phase) {
            case FORWARD ->
                List.of(
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.MatrixProduct(r, c, 3 * c),
                        new Work.Attention(attentionShape(microBatch), 2),
                        new Work.MatrixProduct(r, c, c),
                        new Work.MemoryPass("add_layer_norm", 4 * rc),
                        new Work.MatrixProduct(r, c, f),
                        new Work.MemoryPass("gelu", 2 * rf),
                        new Work.MatrixProduct(r, f, c),
                        new Work.MemoryPass("add", 3 * rc));
            case BACKWARD_INPUT ->
                List.of(
                        new Work.MatrixProduct(r, c, f),
                        new Work.MemoryPass("gelu_backward", 3 * rf),
                        new Work.MatrixProduct(r, f, c),
                        new Work.MemoryPass("layer_norm_backward", 4 * rc),
                        new Work.MatrixProduct(r, c, c),
                        new Work.Attention(attentionShape(microBatch), 5),
                        new Work.MatrixProduct(r, 3 * c, c),
                        new Work.MemoryPass("layer_norm_backward", 4 * rc));
            case BACKWARD_WEIGHT ->
                List.of(
                        new Work.MatrixProduct(f, r, c),
                        new Work.MatrixProduct(c, r, f),
                        new Work.MatrixProduct(c, r, c),
                        new Work.MatrixProduct(c, r, 3 * c),
                        new Work.MemoryPass("bias_gradients", 5 * rc + rf));
        };
    }

    @Override
    public Set<String> keptSelectively() {
        Set<String> kept = new HashSet<>();
        Gpt2Attention.Saved.PRODUCTS.forEach(name -> kept.add(Gpt2Block.ATTENTION + name));
        Gpt2Mlp.Saved.PRODUCTS.forEach(name -> kept.add(Gpt2Block.MLP + name));
        return kept;
    }

    @Override
    public List<Work> recomputationWork(Recomputation recomputation, MicroBatchShape microBatch, DType compute) {
        List<Work> forward = work(Phase.FORWARD, microBatch, compute);
        long rc = microBatch.rows() * config.hiddenSize() * compute.bytes();
        long rf = microBatch.rows() * config.intermediateSize() * compute.bytes();
        return switch (recomputation) {
            case NONE -> List.of();
            case SELECTIVE ->
                List.of(
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.Attention(attentionShape(microBatch), 2),
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.MemoryPass("gelu", 2 * rf));
            // without the last product and the residual after it
            case FULL -> forward.subList(0, forward.size() - 2);
        };
    }

    @Override
    public Block<?, ?> bind(LayerContext context) {
        Backend backend = context.backend();
        ParameterSource parameters = context.parameters();
        return new Gpt2Block(
                new Gpt2Attention(backend, parameters, module(), config, attentionShape(context.microBatch())),
                new Gpt2Mlp(backend, parameters, module(), config));
    }

    private AttentionShape attentionShape(MicroBatchShape microBatch) {
        int heads = config.numAttentionHeads();
        return new AttentionShape(microBatch.batch(), microBatch.sequence(), heads, heads, config.headSize());
    }
}
