package io.penstock.models;

import java.util.ArrayList;
import java.util.List;

/** A decoder-only transformer, layer by layer. */
public record ModelSpec(ModelConfig config, EmbeddingSpec embedding, List<BlockSpec> blocks, HeadSpec head) {
    public ModelSpec {
        blocks = List.copyOf(blocks);
    }

    /** Embedding, blocks, head: layer 0 is the embedding, layer {@code blocks + 1} the head. */
    public List<LayerSpec> layers() {
        List<LayerSpec> layers = new ArrayList<>();
        layers.add(embedding);
        layers.addAll(blocks);
        layers.add(head);
        return layers;
    }

    /** Parameters, a tied one counted once. */
    public long parameterCount() {
        return layers().stream()
                .flatMap(layer -> layer.parameters().stream())
                .distinct()
                .mapToLong(p -> p.shape().elements())
                .sum();
    }
}
