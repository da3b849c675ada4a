package io.penstock.engine.sharding;

import io.penstock.engine.state.GradientSum;
import io.penstock.tensor.Backend;
import io.penstock.transport.Operation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The gradients that one computation of a layer completes together. */
final class GradientBucket {
    private final List<GradientSum> gradients;
    private final @Nullable Operation[] operations;
    /** The window that some of the gradients live in, -1 for none. */
    private final int window;

    private int pendingLeaf = -1;

    GradientBucket(List<GradientSum> gradients, int window) {
        this.gradients = List.copyOf(gradients);
        this.operations = new Operation[gradients.size()];
        this.window = window;
    }

    int window() {
        return window;
    }

    int size() {
        return gradients.size();
    }

    boolean isPending() {
        return pendingLeaf >= 0;
    }

    /** Starts the sums over replicas of leaf {@code leaf}. */
    void start(DataGroup group, int leaf) {
        for (int i = 0; i < gradients.size(); i++) {
            operations[i] = group.startReduce(gradients.get(i));
        }
        pendingLeaf = leaf;
    }

    /** Waits for the sums and takes them into the step's. */
    void finish(DataGroup group, Backend backend, int leavesOfRound) {
        for (int i = 0; i < gradients.size(); i++) {
            group.await(operations[i]);
            operations[i] = null;
            gradients.get(i).close(backend, pendingLeaf, leavesOfRound);
        }
        pendingLeaf = -1;
    }
}
