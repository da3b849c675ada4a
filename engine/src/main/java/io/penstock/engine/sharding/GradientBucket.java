package io.penstock.engine.sharding;

import io.penstock.engine.state.GradientSum;
import io.penstock.tensor.Backend;
import io.penstock.transport.Operation;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The gradients that one computation of a layer completes together. */
final class GradientBucket {
    private final List<GradientSum> gradients;
    /** Absent where the layer completes none. */
    private final @Nullable CommonTensors wholes;

    private @Nullable Operation operation;
    /** The window that some of the gradients live in, -1 for none. */
    private final int window;

    private int pendingLeaf = -1;

    /** {@code memory}: where all of the rank's gradients are. */
    GradientBucket(MemorySegment memory, List<GradientSum> gradients, int window) {
        this.gradients = List.copyOf(gradients);
        this.wholes = gradients.isEmpty()
                ? null
                : CommonTensors.of(
                        memory, gradients.stream().map(GradientSum::whole).toList());
        this.window = window;
    }

    int window() {
        return window;
    }

    boolean isPending() {
        return pendingLeaf >= 0;
    }

    /** Starts the sums over replicas of leaf {@code leaf}. */
    void start(DataGroup group, int leaf) {
        operation = wholes == null ? null : group.startReduce(wholes);
        pendingLeaf = leaf;
    }

    /** Waits for the sums and takes them into the step's. */
    void finish(DataGroup group, Backend backend, int leavesOfRound) {
        group.await(operation);
        operation = null;
        for (int i = 0; i < gradients.size(); i++) {
            gradients.get(i).close(backend, pendingLeaf, leavesOfRound);
        }
        pendingLeaf = -1;
    }
}
