package io.penstock.partitioner.schedule;

/**
 * One thing a rank does. {@code chunk} counts the rank's model chunks from 0; {@code microBatch} counts from 0 within the step. Sends are posted and do not wait; a
 * computation waits for what it needs; receives are posted ahead by the executor and waited for where they stand.
 */
public sealed interface Instruction {
    /** An instruction on one micro-batch of one chunk. */
    sealed interface OnMicroBatch extends Instruction {
        int microBatch();

        int chunk();
    }

    /** Runs the chunk's layers forward and keeps what backward needs. */
    record Forward(int microBatch, int chunk) implements OnMicroBatch {}

    /** The loss of a micro-batch without gradients, on the chunk that holds the head, or the release of its activations elsewhere: closes a forward of an evaluation. */
    record EvaluateLoss(int microBatch, int chunk) implements OnMicroBatch {}

    /** Input gradient and weight gradient, layer by layer: the fused form of the next two, same bits. */
    record Backward(int microBatch, int chunk) implements OnMicroBatch {}

    /** Input gradients of the chunk's layers; what their weight gradients need is stashed. */
    record BackwardInput(int microBatch, int chunk) implements OnMicroBatch {}

    /** Weight gradients from the stash; frees the micro-batch's activations. */
    record BackwardWeight(int microBatch, int chunk) implements OnMicroBatch {}

    /** Sends the chunk's output to the rank that holds the next stage. */
    record SendActivation(int microBatch, int chunk, int peerStageRank) implements OnMicroBatch {}

    /** Receives the chunk's input from the rank that holds the previous stage. */
    record ReceiveActivation(int microBatch, int chunk, int peerStageRank) implements OnMicroBatch {}

    /** Sends the gradient of the chunk's input to the rank that holds the previous stage. */
    record SendGradient(int microBatch, int chunk, int peerStageRank) implements OnMicroBatch {}

    /** Receives the gradient of the chunk's output from the rank that holds the next stage. */
    record ReceiveGradient(int microBatch, int chunk, int peerStageRank) implements OnMicroBatch {}

    /** What replicas do for each other; it never waits for another stage. */
    sealed interface OnStates extends Instruction {
        int chunk();
    }

    /** Starts to gather the chunk's first parameters from all replicas, or its last ones where a backward comes; the rest follows as layers come to work. */
    record GatherParameters(int chunk, boolean fromEnd) implements OnStates {}

    /** Gives back the memory of the chunk's gathered parameters. */
    record ReleaseParameters(int chunk) implements OnStates {}

    /** All gradients of a leaf of micro-batches are there: sums what is not yet on its way over the replicas. */
    record ReduceGradients(int chunk, int leaf) implements OnStates {}

    /** Sums the two gradients of the tied embedding, embedding side first, on the ranks that hold its copies. */
    record ReduceTiedGradients() implements Instruction {}

    /** The global gradient norm, clipping and the optimizer update. */
    record OptimizerStep() implements Instruction {}
}
