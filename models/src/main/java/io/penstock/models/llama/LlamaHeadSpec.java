package io.penstock.models.llama;

import io.penstock.models.Head;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Work;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.models.vocabulary.LogitChunks;
import io.penstock.models.vocabulary.TokenLosses;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.util.List;

/** {@link LlamaHead} described. */
record LlamaHeadSpec(LlamaShard shard) implements HeadSpec {
    /** All tokens of n, and of dn. */
    private static final int BUFFERS = 2;

    @Override
    public String name() {
        return "head";
    }

    @Override
    public List<ParameterSpec> parameters() {
        return List.of(LlamaParameters.gain(LlamaParameters.FINAL_NORM, shard), LlamaParameters.head(shard));
    }

    @Override
    public TensorTable saved(MicroBatchShape microBatch, DType compute) {
        return TensorTable.builder()
                .add("normed", compute, shard.held(microBatch))
                .add("rstd", compute.accumulator(), shard.heldStatistics(microBatch))
                .build();
    }

    @Override
    public TensorTable stash(MicroBatchShape microBatch, DType compute) {
        LogitChunks chunks = chunks(microBatch);
        TensorSplit split = shard.split();
        DType accumulator = compute.accumulator();
        TensorTable.Builder table = TensorTable.builder()
                .addStrided(
                        LlamaHead.LOGITS,
                        accumulator,
                        Shape.of(chunks.chunkRows(), shard.vocabulary()),
                        chunks.rowStride())
                .add(TokenLosses.LOSSES, accumulator, Shape.of(microBatch.batch(), microBatch.sequence()));
        if (!split.isWhole()) {
            table.add(TokenLosses.STATISTICS, accumulator, Shape.of(split.size() * chunks.chunkRows(), 3));
        }
        long c = shard.config().hiddenSize();
        return table.addAll("", ParallelRegion.scratch(split, microBatch.rows(), c, compute, BUFFERS))
                .build();
    }

    /** The same on every rank of a group, for they gather statistics chunk by chunk: cut for the largest part of the vocabulary. */
    private LogitChunks chunks(MicroBatchShape microBatch) {
        return LogitChunks.of(
                microBatch.rows(), shard.split().largestPart(shard.config().vocabSize()));
    }

    @Override
    public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
        long r = microBatch.rows();
        long c = shard.config().hiddenSize();
        long v = shard.vocabulary();
        long rc = shard.heldRows(microBatch) * c * compute.bytes();
        return switch (phase) {
            case FORWARD -> List.of(new Work.MemoryPass("rms_norm", 2 * rc));
            case BACKWARD_INPUT ->
                List.of(
                        new Work.MatrixProduct(r, c, v),
                        new Work.MemoryPass(
                                "cross_entropy", r * v * (compute.accumulator().bytes() + compute.bytes())),
                        new Work.MatrixProduct(r, v, c),
                        new Work.MatrixProduct(v, r, c),
                        new Work.MemoryPass("rms_norm_backward", 3 * rc));
            case BACKWARD_WEIGHT -> List.of();
        };
    }

    @Override
    public Head<?> bind(LayerContext context) {
        ParallelRegion region = new ParallelRegion(
                context.backend(),
                context.group(),
                shard.split(),
                context.microBatch().rows(),
                context.scratch(),
                BUFFERS);
        return new LlamaHead(context, shard, chunks(context.microBatch()), region);
    }
}
