package io.penstock.partitioner.estimate;

/**
 * How many of a rank's blocks are computed again in backward.
 *
 * @param full whole blocks
 * @param selective only their attention's scores and probabilities
 */
public record Recomputed(int full, int selective) {
    static final Recomputed NOTHING = new Recomputed(0, 0);

    /** The part of chunk {@code chunk} of {@code chunks}: as even as whole blocks allow. */
    Recomputed ofChunk(int chunk, int chunks) {
        return new Recomputed(part(full, chunk, chunks), part(selective, chunk, chunks));
    }

    private static int part(int blocks, int chunk, int chunks) {
        return blocks / chunks + (chunk < blocks % chunks ? 1 : 0);
    }
}
