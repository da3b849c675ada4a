package io.penstock.models.gpt2;

import io.penstock.models.Head;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Work;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.util.List;

/** {@link Gpt2Head} described. */
record Gpt2HeadSpec(ModelConfig config) implements HeadSpec {
    @Override
    public String name() {
        return "head";
    }

    @Override
    public List<ParameterSpec> parameters() {
        return List.of(
                Gpt2Parameters.gain(Gpt2Parameters.FINAL_NORM, config.hiddenSize()),
                Gpt2Parameters.bias(Gpt2Parameters.FINAL_NORM, config.hiddenSize()),
                Gpt2Parameters.head(config));
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        int b = microBatch.batch();
        int t = microBatch.sequence();
        return TensorTable.builder()
                .add("normed", compute, Shape.of(b, t, config.hiddenSize()))
                .add("mean", compute.accumulator(), Shape.of(b, t))
                .add("rstd", compute.accumulator(), Shape.of(b, t))
                .build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        LogitChunks chunks = LogitChunks.of(microBatch.rows(), config.vocabSize());
        return TensorTable.builder()
                .addStrided(
                        "logits",
                        compute.accumulator(),
                        Shape.of(chunks.chunkRows(), config.vocabSize()),
                        chunks.rowStride())
                .add("losses", compute.accumulator(), Shape.of(microBatch.batch(), microBatch.sequence()))
                .build();
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long r = microBatch.rows();
        long c = config.hiddenSize();
        long v = config.vocabSize();
        long rc = r * c * compute.bytes();
        return switch (phase) {
            case FORWARD -> List.of(new Work.MemoryPass("layer_norm", 2 * rc));
            case BACKWARD_INPUT ->
                List.of(
                        new Work.MatrixProduct(r, c, v),
                        new Work.MemoryPass(
                                "cross_entropy", r * v * (compute.accumulator().bytes() + compute.bytes())),
                        new Work.MatrixProduct(r, v, c),
                        new Work.MatrixProduct(v, r, c),
                        new Work.MemoryPass("layer_norm_backward", 3 * rc));
            case BACKWARD_WEIGHT -> List.of();
        };
    }

    @Override
    public Head<?> bind(LayerContext context) {
        LogitChunks chunks = LogitChunks.of(context.microBatch().rows(), config.vocabSize());
        return new Gpt2Head(
                context.backend(), context.parameters(), context.scratch(), config, chunks, context.compute());
    }
}
