package io.penstock.engine.optimizer;

import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * What ranks tell each other at the end of a step: the loss sum and the sum of squares of each parameter's gradient. Every rank fills what it owns and gathers all; the
 * totals are then summed in canonical order of parameters, so that they have the same bits on every layout.
 *
 * <pre>
 * one rank's block, doubles in native order:  | loss sum | squares of parameter 0 | ... | squares of parameter P-1 |
 * </pre>
 */
public final class StepStatistics {
    private final int[] ownerOf;
    private final int lossOwner;
    private final Tensor own;
    private final Tensor gathered;

    /**
     * @param ownerOf the rank that owns each parameter of the model, in canonical order; of a tied one the embedding's
     * @param lossOwner the rank with the head
     * @param own (P + 1) doubles of this rank
     * @param gathered (ranks, P + 1) doubles
     */
    public StepStatistics(int[] ownerOf, int lossOwner, Tensor own, Tensor gathered) {
        this.ownerOf = ownerOf.clone();
        this.lossOwner = lossOwner;
        this.own = own;
        this.gathered = gathered;
    }

    public void loss(double sum) {
        own.set(0, sum);
    }

    /** {@code parameter}: its place in canonical order. */
    public void squares(int parameter, double sum) {
        own.set(parameter + 1L, sum);
    }

    public boolean owns(int rank, int parameter) {
        return ownerOf[parameter] == rank;
    }

    /** What this rank sends. */
    public MemorySegment own() {
        return own.segment();
    }

    /** Where the blocks of all ranks arrive, in rank order. */
    public MemorySegment gathered() {
        return gathered.segment();
    }

    private double of(int rank, int index) {
        return gathered.get(rank * own.elements() + index);
    }

    public double lossSum() {
        return of(lossOwner, 0);
    }

    /** The global norm: every parameter once. */
    public double gradientNorm() {
        double squares = 0;
        for (int parameter = 0; parameter < ownerOf.length; parameter++) {
            squares += of(ownerOf[parameter], parameter + 1);
        }
        return Math.sqrt(squares);
    }
}
