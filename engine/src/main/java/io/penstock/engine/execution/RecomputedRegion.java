package io.penstock.engine.execution;

import org.jspecify.annotations.Nullable;

/** Who wrote the region that the layers of a rank share for what they recompute: a layer whose forward was the last need not run again. */
final class RecomputedRegion {
    private @Nullable Object layer;
    private int slot;

    void written(Object byLayer, int inSlot) {
        layer = byLayer;
        slot = inSlot;
    }

    boolean holds(Object ofLayer, int ofSlot) {
        return layer == ofLayer && slot == ofSlot;
    }
}
