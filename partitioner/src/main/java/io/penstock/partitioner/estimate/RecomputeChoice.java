package io.penstock.partitioner.estimate;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout.Recompute;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * The least recomputation, in seconds, that makes a rank fit. Exact: all numbers of wholly recomputed blocks that may pay are tried, each with the least selectively recomputed
 * ones that then fit; blocks are equal, so which of them does not matter.
 */
final class RecomputeChoice {
    private final LayoutMemory memory;
    private final Cluster cluster;
    private final Recompute asked;
    private final double selectiveSeconds;
    private final double fullSeconds;

    /** {@code selectiveSeconds}, {@code fullSeconds}: what they add to a block and micro-batch. */
    RecomputeChoice(
            LayoutMemory memory, Cluster cluster, Recompute asked, double selectiveSeconds, double fullSeconds) {
        this.memory = memory;
        this.cluster = cluster;
        this.asked = asked;
        this.selectiveSeconds = selectiveSeconds;
        this.fullSeconds = fullSeconds;
    }

    /** Empty if nothing makes the rank fit. */
    Optional<Recomputed> of(int rank, Share share) {
        int blocks = share.blocks();
        Recomputed leanest = leanest(blocks);
        if (asked != Recompute.AS_NEEDED) {
            return fits(rank, share, leanest) ? Optional.of(leanest) : Optional.empty();
        }
        if (fits(rank, share, Recomputed.NOTHING)) {
            return Optional.of(Recomputed.NOTHING);
        }
        // The first whole block needs room to be computed again in, so none is asked apart.
        int leastFull = fits(rank, share, new Recomputed(0, blocks))
                ? 0
                : least(blocks, full -> fits(rank, share, new Recomputed(full, blocks - full)));
        if (leastFull > blocks) {
            return Optional.empty();
        }
        Recomputed best = withLeastSelective(rank, share, leastFull);
        for (int full = leastFull + 1; full <= blocks && full * fullSeconds < seconds(best); full++) {
            Recomputed found = withLeastSelective(rank, share, full);
            best = seconds(found) < seconds(best) ? found : best;
        }
        return Optional.of(best);
    }

    /** What is asked of every block, or where it is as needed, what needs the least memory. */
    Recomputed leanest(int blocks) {
        return switch (asked) {
            case NONE -> Recomputed.NOTHING;
            case SELECTIVE -> new Recomputed(0, blocks);
            case FULL, AS_NEEDED -> new Recomputed(blocks, 0);
        };
    }

    double seconds(Recomputed again) {
        return again.full() * fullSeconds + again.selective() * selectiveSeconds;
    }

    private Recomputed withLeastSelective(int rank, Share share, int full) {
        int left = share.blocks() - full;
        return new Recomputed(full, least(left, selective -> fits(rank, share, new Recomputed(full, selective))));
    }

    /** The least of 0 to {@code most} that fits, {@code most + 1} if none does, by bisection: what fits still fits with more. */
    private static int least(int most, IntPredicate fits) {
        int low = 0;
        int high = most + 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (fits.test(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private boolean fits(int rank, Share share, Recomputed again) {
        return memory.fits(cluster, rank, share, again);
    }
}
