package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Word;

/** {@code parallelism: auto}: the plan chooses. */
@Word("auto")
public record AutoLayout() implements Parallelism, PlannedLayout {
    @Override
    public PinnedLayout pinned() {
        return PinnedLayout.NOTHING;
    }
}
