package io.penstock.partitioner.memory;

import io.penstock.partitioner.schedule.InFlight;

/**
 * The slots of one chunk of a rank; micro-batch {@code i} uses slot {@code i mod count}, as {@link InFlight} counts them.
 *
 * @param activations from forward (or its receive) to the weight gradient
 * @param stashes from the input gradient to the weight gradient; 0 where backward is fused
 */
public record Slots(int activations, int stashes) {
    public static Slots of(InFlight inFlight, int rank, int chunk) {
        return new Slots(Math.max(1, inFlight.activations(rank, chunk)), inFlight.stashes(rank, chunk));
    }
}
