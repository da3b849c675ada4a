package io.penstock.models;

import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** A decoder-only transformer, layer by layer, or one tensor-parallel rank's part of it. */
public record ModelSpec(
        ModelConfig config, EmbeddingSpec embedding, List<BlockSpec> blocks, HeadSpec head, TensorSplit split) {
    public ModelSpec {
        blocks = List.copyOf(blocks);
    }

    /** Of whole layers. */
    public ModelSpec(ModelConfig config, EmbeddingSpec embedding, List<BlockSpec> blocks, HeadSpec head) {
        this(config, embedding, blocks, head, TensorSplit.WHOLE);
    }

    /** What this rank holds of the activations between two layers: (B, T, C), or its rows of them. */
    public Shape hidden(MicroBatchShape microBatch) {
        return split.held(microBatch.batch(), microBatch.sequence(), config.hiddenSize());
    }

    /** Embedding, blocks, head: layer 0 is the embedding, layer {@code blocks + 1} the head. */
    public List<LayerSpec> layers() {
        List<LayerSpec> layers = new ArrayList<>();
        layers.add(embedding);
        layers.addAll(blocks);
        layers.add(head);
        return layers;
    }

    /** Parameters of the whole model, a tied one counted once. */
    public long parameterCount() {
        return layers().stream()
                .flatMap(layer -> layer.parameters().stream())
                .distinct()
                .mapToLong(p -> p.wholeShape().elements())
                .sum();
    }
}
