package io.penstock.models.llama;

import io.penstock.models.BlockSpec;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelFamily;
import io.penstock.models.ModelSpec;
import io.penstock.models.parallel.TensorSplit;
import java.util.ArrayList;
import java.util.List;

/** Llama: rotary positions, pre-norm blocks with RMS norm, shared keys and values and SwiGLU, no biases, a head of its own unless the configuration ties it. */
public final class LlamaFamily implements ModelFamily {
    public static final String ARCHITECTURE = "llama";

    @Override
    public String architecture() {
        return ARCHITECTURE;
    }

    /** Throws {@link IllegalArgumentException} for a configuration of another architecture, with heads of an odd size, or whose heads, columns or tokens cannot be split so. */
    @Override
    public ModelSpec spec(ModelConfig config, TensorSplit split) {
        if (!config.architecture().equals(ARCHITECTURE)) {
            throw new IllegalArgumentException(
                    "architecture '" + config.architecture() + "' is not '" + ARCHITECTURE + "'");
        }
        LlamaShard shard = new LlamaShard(config, split);
        List<BlockSpec> blocks = new ArrayList<>();
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            blocks.add(new LlamaBlockSpec(shard, i));
        }
        return new ModelSpec(config, new TokenEmbeddingSpec(shard), blocks, new LlamaHeadSpec(shard), split);
    }
}
