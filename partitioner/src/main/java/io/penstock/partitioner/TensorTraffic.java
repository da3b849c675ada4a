package io.penstock.partitioner;

import io.penstock.models.BlockSpec;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel.PhaseSeconds;

/**
 * What the ranks that share each layer send each other (Korthikanti et al. 2022): with sequence parallelism an all-gather at the entry of attention, MLP and head and a
 * reduce-scatter at their exits, backward the other way round, and for weight gradients the gathered activations once more; without it an all-reduce at each exit. A rank's own cores
 * carry the bytes and add up the sums, so nothing hides them.
 */
public final class TensorTraffic {
    private final int size;
    private final boolean sequenceParallel;
    private final boolean splitBackward;
    private final double gather;
    private final double reduceScatter;

    /**
     * @param model one rank's part
     * @param messageSeconds a message beside its bytes
     * @param messageBytesPerSecond at which a rank sends and takes
     * @param memoryBytesPerSecond at which it adds up
     */
    public TensorTraffic(
            Plan plan,
            ModelSpec model,
            double messageSeconds,
            double messageBytesPerSecond,
            double memoryBytesPerSecond) {
        size = model.split().size();
        sequenceParallel = model.split().sequenceParallel();
        splitBackward = plan.schedule().splitsBackward();
        double others = (double) plan.microBatch().rows()
                * model.config().hiddenSize()
                * plan.compute().bytes()
                * (size - 1)
                / size;
        gather = (size - 1) * messageSeconds + others / messageBytesPerSecond;
        // What comes from the others is read, and added to what is here.
        reduceScatter = gather + 2 * others / memoryBytesPerSecond;
    }

    /** Of one layer on one micro-batch. */
    public PhaseSeconds of(LayerSpec layer) {
        if (size == 1) {
            return new PhaseSeconds(0, 0, 0);
        }
        double allReduce = gather + reduceScatter;
        return switch (layer) {
            case EmbeddingSpec e ->
                sequenceParallel ? new PhaseSeconds(reduceScatter, 0, gather) : new PhaseSeconds(allReduce, 0, 0);
            case BlockSpec b ->
                sequenceParallel
                        ? new PhaseSeconds(
                                2 * (gather + reduceScatter),
                                2 * (gather + reduceScatter),
                                (splitBackward ? 4 : 2) * gather)
                        : new PhaseSeconds(2 * allReduce, 2 * allReduce, 0);
            case HeadSpec h ->
                sequenceParallel
                        ? new PhaseSeconds(gather, gather + reduceScatter, 0)
                        : new PhaseSeconds(0, allReduce, 0);
        };
    }
}
