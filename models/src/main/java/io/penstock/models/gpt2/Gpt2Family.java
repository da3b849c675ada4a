package io.penstock.models.gpt2;

import io.penstock.models.BlockSpec;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelFamily;
import io.penstock.models.ModelSpec;
import io.penstock.models.parallel.TensorSplit;
import java.util.ArrayList;
import java.util.List;

/** GPT-2: learned positions, pre-norm blocks with layer norm and tanh GELU, head tied to the token table unless the configuration says otherwise. */
public final class Gpt2Family implements ModelFamily {
    public static final String ARCHITECTURE = "gpt2";

    @Override
    public String architecture() {
        return ARCHITECTURE;
    }

    /** Throws {@link IllegalArgumentException} for a configuration of another architecture, or whose heads, feed-forward columns or tokens cannot be split so. */
    @Override
    public ModelSpec spec(ModelConfig config, TensorSplit split) {
        if (!config.architecture().equals(ARCHITECTURE)) {
            throw new IllegalArgumentException(
                    "architecture '" + config.architecture() + "' is not '" + ARCHITECTURE + "'");
        }
        Gpt2Shard shard = new Gpt2Shard(config, split);
        List<BlockSpec> blocks = new ArrayList<>();
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            blocks.add(new Gpt2BlockSpec(shard, i));
        }
        return new ModelSpec(config, new TokenAndPositionEmbeddingSpec(shard), blocks, new Gpt2HeadSpec(shard), split);
    }
}
