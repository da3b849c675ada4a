package io.penstock.engine.execution;

import org.jspecify.annotations.Nullable;

/** Who wrote the region that the layers of a rank share for what they recompute: a layer whose forward was the last need not run again. */
final class RecomputedRegion {
    private @Nullable Object layer;
    private int microBatch;

    void written(Object byLayer, int ofMicroBatch) {
        layer = byLayer;
        microBatch = ofMicroBatch;
    }

    boolean holds(Object ofLayer, int ofMicroBatch) {
        return layer == ofLayer && microBatch == ofMicroBatch;
    }
}
