package io.penstock.partitioner.estimate;

import io.penstock.partitioner.PlanException;

/**
 * How a model lies on a cluster.
 *
 * @param microBatch sequences
 * @param microBatches a step and pipeline
 * @param zeroStage 0 to 3
 * @param recompute the same in every block, or as little as each rank's memory allows
 * @param sequenceParallel whether norms, dropouts and residuals are divided over the tensor-parallel group too
 */
public record Layout(
        int tensor,
        int pipeline,
        int data,
        int microBatch,
        int microBatches,
        String schedule,
        int chunks,
        int zeroStage,
        Recompute recompute,
        boolean sequenceParallel,
        Offload offload) {
    /** What is computed again in backward instead of kept. */
    public enum Recompute {
        NONE,
        /** Attention's scores and probabilities. */
        SELECTIVE,
        /** Whole blocks, from their inputs. */
        FULL,
        /** In every block of a rank as little as its memory allows. */
        AS_NEEDED
    }

    /** What lives in the host's memory. */
    public enum Offload {
        NONE,
        /** Optimizer states; the host updates. */
        OPTIMIZER,
        /** Activations from a forward until shortly before their backward. */
        ACTIVATIONS,
        /** Both. */
        OPTIMIZER_AND_ACTIVATIONS;

        public boolean optimizer() {
            return this == OPTIMIZER || this == OPTIMIZER_AND_ACTIVATIONS;
        }

        public boolean activations() {
            return this == ACTIVATIONS || this == OPTIMIZER_AND_ACTIVATIONS;
        }
    }

    /** Without sequence parallelism and offload. */
    public Layout(
            int tensor,
            int pipeline,
            int data,
            int microBatch,
            int microBatches,
            String schedule,
            int chunks,
            int zeroStage,
            Recompute recompute) {
        this(
                tensor,
                pipeline,
                data,
                microBatch,
                microBatches,
                schedule,
                chunks,
                zeroStage,
                recompute,
                false,
                Offload.NONE);
    }

    public Layout {
        if (tensor < 1 || pipeline < 1 || data < 1 || microBatch < 1 || microBatches < 1 || chunks < 1) {
            throw new PlanException("tensor=" + tensor + " pipeline=" + pipeline + " data=" + data + " micro_batch="
                    + microBatch + " micro_batches=" + microBatches + " chunks=" + chunks + ": all must be positive");
        }
        if (zeroStage < 0 || zeroStage > 3) {
            throw new PlanException("zero_stage=" + zeroStage + ": expected 0, 1, 2 or 3");
        }
    }

    public int devices() {
        return tensor * pipeline * data;
    }

    public int stages() {
        return pipeline * chunks;
    }

    public Layout with(Offload other) {
        return new Layout(
                tensor,
                pipeline,
                data,
                microBatch,
                microBatches,
                schedule,
                chunks,
                zeroStage,
                recompute,
                sequenceParallel,
                other);
    }
}
