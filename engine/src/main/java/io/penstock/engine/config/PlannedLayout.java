package io.penstock.engine.config;

/** Section {@code parallelism} of a plan: keys that are given are respected, the plan chooses the others. */
public sealed interface PlannedLayout permits PinnedLayout, AutoLayout {
    PinnedLayout pinned();
}
