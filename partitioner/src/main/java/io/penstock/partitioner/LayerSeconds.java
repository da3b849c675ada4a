package io.penstock.partitioner;

import io.penstock.models.LayerSpec;
import io.penstock.partitioner.CostModel.PhaseSeconds;

/** How long a layer takes on one micro-batch: from rates ({@link CostModel#rated}) or as measured. */
@FunctionalInterface
public interface LayerSeconds {
    PhaseSeconds of(LayerSpec layer);
}
