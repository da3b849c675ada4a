package io.penstock.engine.sharding;

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

    boolean hasRoom() {
        return running < MOST_OPERATIONS;
    }

    /** Starts to overwrite this replica's shards of {@code gradients} with their sums over replicas; absent for a rank alone. */
    @Nullable
    Operation startReduce(CommonTensors gradients) {
        if (collectives == null || sum == null) {
            return null;
        }
        running++;
        return collectives.startReduceScatter(gradients.memory(), gradients.parts(), sum);
    }

    /** Starts to overwrite the other replicas' shards of {@code wholes} with theirs; absent for a rank alone. */
    @Nullable
    Operation startGather(CommonTensors wholes) {
        if (collectives == null) {
            return null;
        }
        running++;
        return collectives.startAllGatherShards(wholes.memory(), wholes.parts(), wholes.elementBytes());
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
