package io.penstock.models.llama;

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
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** {@link LlamaBlock} described; {@code index} counts blocks from 0. */
record LlamaBlockSpec(LlamaShard shard, int index) implements BlockSpec {
    /** All tokens of dy or n, of dh or n, and of dn. */
    private static final int BUFFERS = 3;

    @Override
    public String name() {
        return "h." + index;
    }

    private String module() {
        return "model.layers." + index;
    }

    @Override
    public List<ParameterSpec> parameters() {
        ModelConfig config = shard.config();
        long c = config.hiddenSize();
        long f = config.intermediateSize();
        long kv = (long) config.numKeyValueHeads() * config.headSize();
        String m = module();
        return List.of(
                LlamaParameters.gain(m + ".input_layernorm", shard),
                LlamaParameters.byOutputs(m + ".self_attn.q_proj", c, c, shard),
                LlamaParameters.byOutputs(m + ".self_attn.k_proj", kv, c, shard),
                LlamaParameters.byOutputs(m + ".self_attn.v_proj", kv, c, shard),
                LlamaParameters.byInputs(m + ".self_attn.o_proj", c, c, shard),
                LlamaParameters.gain(m + ".post_attention_layernorm", shard),
                LlamaParameters.byOutputs(m + ".mlp.gate_proj", f, c, shard),
                LlamaParameters.byOutputs(m + ".mlp.up_proj", f, c, shard),
                LlamaParameters.byInputs(m + ".mlp.down_proj", c, f, shard));
    }

    /** Those of the norms. */
    @Override
    public Set<String> completedByInputGradient() {
        String m = module();
        return Set.of(m + ".input_layernorm.weight", m + ".post_attention_layernorm.weight");
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .addAll(LlamaBlock.ATTENTION, LlamaAttention.Saved.table(shard, microBatch, compute))
                .addAll(LlamaBlock.MLP, LlamaMlp.Saved.table(shard, microBatch, compute))
                .build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        TensorTable.Builder table = TensorTable.builder()
                .addAll(LlamaBlock.ATTENTION, LlamaAttention.Stash.table(shard, microBatch, compute))
                .addAll(LlamaBlock.MLP, LlamaMlp.Stash.table(shard, microBatch, compute));
        if (isWide(compute)) {
            long c = shard.config().hiddenSize();
            table.add(LlamaBlock.WIDE, compute.accumulator(), LlamaShard.all(microBatch, c));
        }
        return table.build();
    }

    private static boolean isWide(DType compute) {
        return compute.accumulator() != compute;
    }

    @Override
    public TensorTable scratch(MicroBatchShape microBatch, DType compute) {
        long c = shard.config().hiddenSize();
        return TensorTable.builder()
                .addAll("", ParallelRegion.scratch(shard.split(), microBatch.rows(), c, compute, BUFFERS))
                .addAll("", LlamaAttention.scratch(shard, microBatch, compute))
                .build();
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long r = microBatch.rows();
        long c = shard.config().hiddenSize();
        long q = shard.queryWidth();
        long kv = shard.keyValueWidth();
        long f = shard.feedForward();
        long rc = shard.heldRows(microBatch) * c * compute.bytes();
        long rf = r * f * compute.bytes();
        long turned = 2 * r * (q + kv) * compute.bytes();
        // what products that add to one gradient write and read again, and its rounding
        long sums = r * c * compute.accumulator().bytes() + (isWide(compute) ? 3 * rc : 0);
        return switch (phase) {
            case FORWARD ->
                List.of(
                        new Work.MemoryPass("rms_norm", 2 * rc),
                        new Work.MatrixProduct(r, c, q + 2 * kv),
                        new Work.MemoryPass("rotary", turned),
                        new Work.Attention(shard.attention(microBatch), 2),
                        new Work.MatrixProduct(r, q, c),
                        new Work.MemoryPass("add_rms_norm", 4 * rc),
                        new Work.MatrixProduct(r, c, 2 * f),
                        new Work.MemoryPass("swiglu", 3 * rf),
                        new Work.MatrixProduct(r, f, c),
                        new Work.MemoryPass("add", 3 * rc));
            case BACKWARD_INPUT ->
                List.of(
                        new Work.MatrixProduct(r, c, f),
                        new Work.MemoryPass("swiglu_backward", 5 * rf),
                        new Work.MatrixProduct(r, 2 * f, c),
                        new Work.MemoryPass("rms_norm_backward", 4 * rc + 2 * sums),
                        new Work.MatrixProduct(r, c, q),
                        new Work.Attention(shard.attention(microBatch), 5),
                        new Work.MemoryPass("rotary_backward", turned),
                        new Work.MatrixProduct(r, q + 2 * kv, c),
                        new Work.MemoryPass("rms_norm_backward", 4 * rc + 4 * sums));
            case BACKWARD_WEIGHT ->
                List.of(
                        new Work.MatrixProduct(c, r, f),
                        new Work.MatrixProduct(2 * f, r, c),
                        new Work.MatrixProduct(c, r, q),
                        new Work.MatrixProduct(q + 2 * kv, r, c));
        };
    }

    @Override
    public Set<String> keptSelectively() {
        Set<String> kept = new HashSet<>();
        LlamaAttention.Saved.PRODUCTS.forEach(name -> kept.add(LlamaBlock.ATTENTION + name));
        LlamaMlp.Saved.PRODUCTS.forEach(name -> kept.add(LlamaBlock.MLP + name));
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
                        new Work.MemoryPass("rms_norm", 2 * rc),
                        new Work.Attention(shard.attention(microBatch), 2),
                        new Work.MemoryPass("rms_norm", 2 * rc),
                        new Work.MemoryPass("swiglu", 3 * rf));
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
        return new LlamaBlock(
                new LlamaAttention(context, module(), shard, region),
                new LlamaMlp(context, module(), shard, region),
                isWide(context.compute()));
    }
}
