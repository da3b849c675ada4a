package io.penstock.engine.sharding;

import io.penstock.engine.state.GradientSum;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Collectives;
import io.penstock.transport.Operation;
import io.penstock.transport.Reducer;
import org.jspecify.annotations.Nullable;

/** The replicas of a rank's stage, or the rank alone; keeps the operations that are under way few enough for {@link Collectives}. */
public final class DataGroup {
    /** Fewer than {@link Collectives} takes, with room for those that nobody awaits yet. */
    static final int MOST_OPERATIONS = 200;

    private final @Nullable Collectives collectives;
    private final @Nullable Reducer sum;
    private int running;

    private DataGroup() {
        this.collectives = null;
        this.sum = null;
    }

    /** {@code collectives}: of the replicas, in their order; {@code sum}: the tree of {@link TreeSum}. */
    public DataGroup(Collectives collectives, Reducer sum) {
        this.collectives = collectives;
        this.sum = sum;
    }

    /** One replica. */
    public static DataGroup alone() {
        return new DataGroup();
    }

    public int size() {
        return collectives == null ? 1 : collectives.groupSize();
    }

    boolean hasRoomFor(int operations) {
        return running + operations <= MOST_OPERATIONS;
    }

    /** Starts to overwrite the shard of {@code gradient} with its sum over replicas; absent for a rank alone. */
    @Nullable
    Operation startReduce(GradientSum gradient) {
        if (collectives == null || sum == null) {
            return null;
        }
        running++;
        Tensor whole = gradient.whole();
        return collectives.startReduceScatter(whole.segment(), 0, whole.bytes(), sum);
    }

    /** Starts to overwrite the other replicas' shards of {@code whole} with theirs; absent for a rank alone. */
    @Nullable
    Operation startGather(Tensor whole) {
        if (collectives == null) {
            return null;
        }
        running++;
        return collectives.startAllGatherShards(
                whole.segment(), 0, whole.bytes(), whole.dtype().bytes());
    }

    void await(@Nullable Operation operation) {
        if (collectives != null && operation != null) {
            collectives.await(operation);
            running--;
        }
    }

    /** Moves on what is under way, without waiting. */
    void poll() {
        if (collectives != null && running > 0) {
            collectives.poll();
        }
    }
}
