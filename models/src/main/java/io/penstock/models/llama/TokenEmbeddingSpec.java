package io.penstock.models.llama;

import io.penstock.models.Embedding;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Work;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.List;

/** {@link TokenEmbedding} described. */
record TokenEmbeddingSpec(LlamaShard shard) implements EmbeddingSpec {
    @Override
    public String name() {
        return "embedding";
    }

    @Override
    public List<ParameterSpec> parameters() {
        return List.of(LlamaParameters.tokenTable(shard));
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder().build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder().build();
    }

    @Override
    public TensorTable scratch(MicroBatchShape microBatch, DType compute) {
        return ParallelRegion.scratch(
                shard.split(), microBatch.rows(), shard.config().hiddenSize(), compute, 1);
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long elements = microBatch.rows() * shard.config().hiddenSize();
        return switch (phase) {
            // reads a row of the table, writes y
            case FORWARD -> List.of(new Work.MemoryPass("embedding", 2 * elements * compute.bytes()));
            case BACKWARD_INPUT -> List.of();
            // reads dy, reads and writes a row of the gradient
            case BACKWARD_WEIGHT ->
                List.of(new Work.MemoryPass(
                        "embedding_backward",
                        elements * (compute.bytes() + 2L * compute.accumulator().bytes())));
        };
    }

    @Override
    public Embedding bind(LayerContext context) {
        MicroBatchShape microBatch = context.microBatch();
        ModelConfig config = shard.config();
        if (microBatch.sequence() > config.maxPositionEmbeddings()) {
            throw new IllegalArgumentException("sequence_length=" + microBatch.sequence()
                    + " > max_position_embeddings=" + config.maxPositionEmbeddings());
        }
        ParallelRegion region = new ParallelRegion(
                context.backend(), context.group(), shard.split(), microBatch.rows(), context.scratch(), 1);
        return new TokenEmbedding(context, shard, region);
    }
}
