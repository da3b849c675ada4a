package io.penstock.engine.optimizer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What ranks tell each other at the end of a step: the loss sum and the sum of squares of each parameter's gradient. Every rank fills what it owns and gathers all; the
 * totals are then summed in canonical order of parameters, so that they have the same bits on every layout.
 *
 * <pre>
 * one rank's block, doubles in native order:  | loss sum | squares of parameter 0 | ... | squares of parameter P-1 |
 * </pre>
 */
public final class StepStatistics implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final int[] ownerOf;
    private final int lossOwner;
    private final MemorySegment own;
    private final MemorySegment gathered;
    private final long blockBytes;

    /**
     * @param ownerOf the rank that owns each parameter of the model, in canonical order; of a tied one the embedding's
     * @param lossOwner the rank with the head
     */
    public StepStatistics(int[] ownerOf, int lossOwner, int ranks) {
        this.ownerOf = ownerOf.clone();
        this.lossOwner = lossOwner;
        this.blockBytes = (ownerOf.length + 1L) * Double.BYTES;
        this.own = arena.allocate(blockBytes, 64);
        this.gathered = arena.allocate(blockBytes * ranks, 64);
    }

    public void loss(double sum) {
        own.set(ValueLayout.JAVA_DOUBLE, 0, sum);
    }

    /** {@code parameter}: its place in canonical order. */
    public void squares(int parameter, double sum) {
        own.setAtIndex(ValueLayout.JAVA_DOUBLE, parameter + 1L, sum);
    }

    public boolean owns(int rank, int parameter) {
        return ownerOf[parameter] == rank;
    }

    /** What this rank sends. */
    public MemorySegment own() {
        return own;
    }

    /** Where the blocks of all ranks arrive, in rank order. */
    public MemorySegment gathered() {
        return gathered;
    }

    private double of(int rank, int index) {
        return gathered.get(ValueLayout.JAVA_DOUBLE, rank * blockBytes + index * (long) Double.BYTES);
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

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
