package io.penstock.engine.checkpoint;

import java.util.Locale;

/** File names of a checkpoint's shards, a shard a pipeline rank; one rank writes the unsharded names. */
final class ShardNames {
    static final String OPTIMIZER = "optimizer";
    static final String FIRST_MOMENT = ".exp_avg";
    static final String SECOND_MOMENT = ".exp_avg_sq";

    private ShardNames() {}

    /** {@code model.safetensors}, or {@code model-00001-of-00002.safetensors}. */
    static String shard(String stem, int rank, int ranks) {
        return ranks == 1
                ? stem + ".safetensors"
                : String.format(Locale.ROOT, "%s-%05d-of-%05d.safetensors", stem, rank + 1, ranks);
    }
}
