package io.penstock.partitioner.memory;

import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.Recomputation;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.Set;

/**
 * What a layer saves on one micro-batch, by what becomes of it until its backward.
 *
 * @param kept stays in the activation slot
 * @param recomputed written by forward where the next layer writes too, and again before backward
 */
public record SavedTables(TensorTable kept, TensorTable recomputed) {
    private static final TensorTable NOTHING = TensorTable.builder().build();

    /** Only blocks are recomputed: embedding and head keep all. */
    public static SavedTables of(
            LayerSpec layer, Recomputation recomputation, MicroBatchShape microBatch, DType compute) {
        TensorTable saved = layer.saved(microBatch, compute);
        if (!(layer instanceof BlockSpec block)) {
            return new SavedTables(saved, NOTHING);
        }
        return switch (recomputation) {
            case NONE -> new SavedTables(saved, NOTHING);
            case SELECTIVE -> split(saved, block.keptSelectively());
            case FULL -> new SavedTables(NOTHING, saved);
        };
    }

    private static SavedTables split(TensorTable saved, Set<String> names) {
        TensorTable.Builder kept = TensorTable.builder();
        TensorTable.Builder recomputed = TensorTable.builder();
        for (TensorTable.Entry entry : saved.entries()) {
            (names.contains(entry.name()) ? kept : recomputed)
                    .addStrided(entry.name(), entry.dtype(), entry.shape(), entry.rowStride());
        }
        return new SavedTables(kept.build(), recomputed.build());
    }
}
