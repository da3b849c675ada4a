package io.penstock.partitioner.estimate;

import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.StepTimes;

/** Times by rank and chunk. */
final class ChunkTimes implements StepTimes {
    private final PhaseSeconds[][] chunks;
    private final double[] end;
    private final double tiedSeconds;
    private final Link between;

    /**
     * Takes the arrays over.
     *
     * @param chunks of every rank's chunks for one micro-batch
     * @param end of every rank's end of step
     */
    ChunkTimes(PhaseSeconds[][] chunks, double[] end, double tiedSeconds, Link between) {
        this.chunks = chunks;
        this.end = end;
        this.tiedSeconds = tiedSeconds;
        this.between = between;
    }

    PhaseSeconds chunk(int rank, int chunk) {
        return chunks[rank][chunk];
    }

    /** A rank's computation of one micro-batch. */
    double rankSeconds(int rank) {
        double seconds = 0;
        for (PhaseSeconds chunk : chunks[rank]) {
            seconds += chunk.total();
        }
        return seconds;
    }

    @Override
    public double compute(int rank, Instruction.OnMicroBatch computation) {
        PhaseSeconds chunk = chunks[rank][computation.chunk()];
        return switch (computation) {
            case Instruction.Forward f -> chunk.forward();
            case Instruction.EvaluateLoss e -> 0;
            case Instruction.Backward b -> chunk.backward();
            case Instruction.BackwardInput b -> chunk.backwardInput();
            case Instruction.BackwardWeight w -> chunk.backwardWeight();
            case Instruction.SendActivation s -> 0;
            case Instruction.ReceiveActivation r -> 0;
            case Instruction.SendGradient s -> 0;
            case Instruction.ReceiveGradient r -> 0;
        };
    }

    @Override
    public Link link(int from, int to) {
        return between;
    }

    @Override
    public double reduceTied() {
        return tiedSeconds;
    }

    @Override
    public double optimizerStep(int rank) {
        return end[rank];
    }
}
