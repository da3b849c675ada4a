package io.penstock.partitioner.estimate;

import io.penstock.partitioner.PlanException;

/**
 * How a model lies on a cluster.
 *
 * @param microBatch sequences
 * @param microBatches a step and pipeline
 * @param zeroStage 0 to 3
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
        Recompute recompute) {
    /** What is computed again in backward instead of kept. */
    public enum Recompute {
        NONE,
        /** Attention's scores and probabilities. */
        SELECTIVE,
        /** Whole blocks, from their inputs. */
        FULL
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
}
