package io.penstock.partitioner.simulate;

import io.penstock.partitioner.schedule.Instruction;

/** What the simulator is told of the world, in seconds. */
public interface StepTimes {
    /** A forward, backward (whole, input or weight) or evaluation on one micro-batch of one chunk. */
    double compute(int rank, Instruction.OnMicroBatch computation);

    Link link(int from, int to);

    /** What of a gather or reduction over replicas is not hidden behind computation. */
    default double states(int rank, Instruction.OnStates instruction) {
        return 0;
    }

    /** Summing the tied gradients, once the ranks that hold them are there. */
    default double reduceTied() {
        return 0;
    }

    /** What ends the step on a rank, once all ranks are there: data-parallel reductions that nothing hides, norm, update. */
    default double optimizerStep(int rank) {
        return 0;
    }
}
