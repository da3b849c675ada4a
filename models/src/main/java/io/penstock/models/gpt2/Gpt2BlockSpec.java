package io.penstock.models.gpt2;

import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Recomputation;
import io.penstock.models.Work;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** {@link Gpt2Block} described; {@code index} counts blocks from 0. */
record Gpt2BlockSpec(Gpt2Shard shard, int index) implements BlockSpec {
    /** All tokens of dy or n, of dh or n, and of dn. */
    private static final int BUFFERS = 3;

    @Override
    public String name() {
        return "h." + index;
    }

    private String module() {
        return "transformer.h." + index;
    }

    @Override
    public List<ParameterSpec> parameters() {
        ModelConfig config = shard.config();
        TensorSplit split = shard.split();
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        String m = module();
        List<ParameterSpec> parameters = new ArrayList<>();
        parameters.addAll(Gpt2Parameters.norm(m + ".ln_1", shard));
        parameters.add(Gpt2Parameters.split(Gpt2Parameters.weight(m + ".attn.c_attn", c, 3 * c, config), 1, 3, split));
        parameters.add(Gpt2Parameters.split(Gpt2Parameters.bias(m + ".attn.c_attn", 3 * c), 0, 3, split));
        parameters.add(
                Gpt2Parameters.split(Gpt2Parameters.residualWeight(m + ".attn.c_proj", c, c, config), 0, 1, split));
        parameters.add(Gpt2Parameters.bias(m + ".attn.c_proj", c));
        parameters.addAll(Gpt2Parameters.norm(m + ".ln_2", shard));
        parameters.add(Gpt2Parameters.split(Gpt2Parameters.weight(m + ".mlp.c_fc", c, f, config), 1, 1, split));
        parameters.add(Gpt2Parameters.split(Gpt2Parameters.bias(m + ".mlp.c_fc", f), 0, 1, split));
        parameters.add(
                Gpt2Parameters.split(Gpt2Parameters.residualWeight(m + ".mlp.c_proj", f, c, config), 0, 1, split));
        parameters.add(Gpt2Parameters.bias(m + ".mlp.c_proj", c));
        return List.copyOf(parameters);
    }

    /** Those of the norms. */
    @Override
    public Set<String> completedByInputGradient() {
        String m = module();
        return Set.of(m + ".ln_1.weight", m + ".ln_1.bias", m + ".ln_2.weight", m + ".ln_2.bias");
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .addAll(Gpt2Block.ATTENTION, Gpt2Attention.Saved.table(shard, microBatch, compute))
                .addAll(Gpt2Block.MLP, Gpt2Mlp.Saved.table(shard, microBatch, compute))
                .build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .addAll(Gpt2Block.ATTENTION, Gpt2Attention.Stash.table(shard, microBatch, compute))
                .addAll(Gpt2Block.MLP, Gpt2Mlp.Stash.table(shard, microBatch, compute))
                .build();
    }

    @Override
    public TensorTable scratch(MicroBatchShape microBatch, DType compute) {
        long c = shard.config().hiddenSize();
        return TensorTable.builder()
                .addAll("", ParallelRegion.scratch(shard.split(), microBatch.rows(), c, compute, BUFFERS))
                .addAll("", Gpt2Attention.scratch(shard, microBatch, compute))
                .build();
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long r = microBatch.rows();
        long c = shard.config().hiddenSize();
        long a = shard.attentionWidth();
        long f = shard.feedForward();
        long rc = shard.heldRows(microBatch) * c * compute.bytes();
        long rf = r * f * compute.bytes();
        return switch (phase) {
            case FORWARD ->
                List.of(
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.MatrixProduct(r, c, 3 * a),
                        new Work.Attention(shard.attention(microBatch), 2),
                        new Work.MatrixProduct(r, a, c),
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
                        new Work.MatrixProduct(r, c, a),
                        new Work.Attention(shard.attention(microBatch), 5),
                        new Work.MatrixProduct(r, 3 * a, c),
                        new Work.MemoryPass("layer_norm_backward", 4 * rc));
            case BACKWARD_WEIGHT ->
                List.of(
                        new Work.MatrixProduct(f, r, c),
                        new Work.MatrixProduct(c, r, f),
                        new Work.MatrixProduct(a, r, c),
                        new Work.MatrixProduct(c, r, 3 * a),
                        new Work.MemoryPass("bias_gradients", r * (2 * c + 3 * a) * compute.bytes() + rf));
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
        long rc = shard.heldRows(microBatch) * shard.config().hiddenSize() * compute.bytes();
        long rf = microBatch.rows() * shard.feedForward() * compute.bytes();
        return switch (recomputation) {
            case NONE -> List.of();
            case SELECTIVE ->
                List.of(
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.Attention(shard.attention(microBatch), 2),
                        new Work.MemoryPass("layer_norm", 2 * rc),
                        new Work.MemoryPass("gelu", 2 * rf));
            // without the last product and the residual after it
            case FULL -> forward.subList(0, forward.size() - 2);
        };
    }

    @Override
    public Block<?, ?> bind(LayerContext context) {
        ParallelRegion region = new ParallelRegion(
                context.backend(),
                context.group(),
                shard.split(),
                context.microBatch().rows(),
                context.scratch(),
                BUFFERS);
        return new Gpt2Block(
                new Gpt2Attention(context, module(), shard, region), new Gpt2Mlp(context, module(), shard, region));
    }
}
