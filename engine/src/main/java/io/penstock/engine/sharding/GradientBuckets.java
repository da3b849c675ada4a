package io.penstock.engine.sharding;

import io.penstock.partitioner.Sharding;
import io.penstock.tensor.Backend;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** Sums gradients leaf by leaf over replicas: a bucket's sum is started when its leaf is complete and finished when its memory is needed again, or the step ends. */
final class GradientBuckets {
    private final DataGroup group;
    private final Backend backend;
    private final Sharding sharding;
    private final int microBatches;
    private final ArrayDeque<GradientBucket> pending = new ArrayDeque<>();
    private final @Nullable GradientBucket[] inWindow;

    GradientBuckets(DataGroup group, Backend backend, Sharding sharding, int microBatches, int windows) {
        this.group = group;
        this.backend = backend;
        this.sharding = sharding;
        this.microBatches = microBatches;
        this.inWindow = new GradientBucket[windows];
    }

    /** Makes the memory of a bucket ready for the gradients of {@code microBatch}. */
    void begin(GradientBucket bucket, int microBatch) {
        if (!sharding.beginsLeaf(microBatch, microBatches)) {
            return;
        }
        finish(bucket);
        int window = bucket.window();
        if (window >= 0) {
            GradientBucket last = inWindow[window];
            if (last != null && last != bucket) {
                // Which leaves the window zero.
                finish(last);
            }
            inWindow[window] = bucket;
        }
    }

    /** The gradients of {@code microBatch} are in. */
    void end(GradientBucket bucket, int microBatch) {
        if (sharding.endsLeaf(microBatch, microBatches)) {
            while (!group.hasRoom()) {
                finish(pending.getFirst());
            }
            bucket.start(group, sharding.leafOf(microBatch, microBatches));
            pending.addLast(bucket);
        }
        group.poll();
    }

    private void finish(GradientBucket bucket) {
        if (bucket.isPending()) {
            bucket.finish(group, backend, sharding.leavesOfRound());
            pending.remove(bucket);
        }
    }

    void finishAll() {
        while (!pending.isEmpty()) {
            finish(pending.getFirst());
        }
    }
}
