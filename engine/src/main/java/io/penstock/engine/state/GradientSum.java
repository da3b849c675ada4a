package io.penstock.engine.state;

import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import java.util.List;

/**
 * The gradient of one parameter on its way from a leaf of micro-batches to the step's sum; the order is that of {@link io.penstock.partitioner.Sharding}. All but {@code whole}
 * are the elements that this replica sums.
 *
 * @param whole what layers accumulate a leaf's gradient into, flat, padding included
 * @param shard this replica's part of {@code whole}, which holds the leaf's sum over replicas once that is made
 * @param held partial sums that wait for their neighbour, by level
 * @param total where the step's sum is made: {@code shard} itself where a step is one round and the memory is the parameter's own
 */
public record GradientSum(Tensor whole, Tensor shard, List<Tensor> held, Tensor total) {
    /** Takes in the sum over replicas of leaf {@code leaf} of a step of {@code leaves}, of which every {@code leavesOfRound} make a round; leaves {@code whole} zero unless the sum is in it. */
    public void close(Backend backend, int leaf, int leavesOfRound) {
        int place = leaf % leavesOfRound;
        int level = 0;
        for (; (place >> level & 1) == 1; level++) {
            backend.add(shard, held.get(level));
        }
        if (place + 1 < leavesOfRound) {
            backend.copy(held.get(level), shard);
            backend.zero(whole);
        } else if (total != shard) {
            if (leaf < leavesOfRound) {
                backend.copy(total, shard);
            } else {
                backend.add(total, shard);
            }
            backend.zero(whole);
        }
    }

    /** Zeroes everything, of a sum that was added to another or is not wanted. */
    public void discard(Backend backend) {
        backend.zero(total == shard ? whole : total);
    }

    /** Readies {@code whole} for the next step, whose update has zeroed {@code total}. */
    public void clear(Backend backend) {
        if (total == shard && whole != shard) {
            backend.zero(whole);
        }
    }
}
