package io.penstock.engine.training;

import io.penstock.engine.config.ActivationCheckpointing;
import io.penstock.engine.config.Layout;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Place;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Plan;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/** {@code parallelism.activation_checkpointing} and the layers of a model: the words are for its blocks, embedding and head recompute nothing. */
final class LayerRecomputation {
    private static final String KEY = "parallelism.activation_checkpointing";

    private LayerRecomputation() {}

    static boolean isAuto(Layout layout) {
        return layout.activationCheckpointing().contains(ActivationCheckpointing.AUTO);
    }

    /** Of every layer of {@link ModelSpec#layers()}; empty if it is for a plan to choose. Throws {@link ConfigException} if there are not as many words as blocks. */
    static Optional<List<Recomputation>> given(Layout layout, ModelSpec model) {
        if (isAuto(layout)) {
            return Optional.empty();
        }
        List<ActivationCheckpointing> words = layout.activationCheckpointing();
        int blocks = model.blocks().size();
        if (words.size() != 1 && words.size() != blocks) {
            throw new ConfigException(
                    Place.of(KEY),
                    "has words for " + words.size() + " layers, the model has " + blocks + ": one word, or " + blocks);
        }
        List<Recomputation> ofLayers = new ArrayList<>();
        int block = 0;
        for (LayerSpec layer : model.layers()) {
            ofLayers.add(
                    layer instanceof BlockSpec
                            ? recomputation(words.get(words.size() == 1 ? 0 : block++))
                            : Recomputation.NONE);
        }
        return Optional.of(ofLayers);
    }

    private static Recomputation recomputation(ActivationCheckpointing word) {
        return switch (word) {
            case NONE -> Recomputation.NONE;
            case SELECTIVE -> Recomputation.SELECTIVE;
            case FULL -> Recomputation.FULL;
            case AUTO -> throw new IllegalStateException("a plan chooses, not a word");
        };
    }

    /** A plan's choice as words: one, if all blocks have the same. */
    static List<ActivationCheckpointing> words(ModelSpec model, Plan plan) {
        List<ActivationCheckpointing> words = new ArrayList<>();
        for (int layer = 0; layer < model.layers().size(); layer++) {
            if (model.layers().get(layer) instanceof BlockSpec) {
                words.add(word(plan.techniques().recomputation(layer)));
            }
        }
        return new HashSet<>(words).size() == 1 ? words.subList(0, 1) : words;
    }

    private static ActivationCheckpointing word(Recomputation recomputation) {
        return switch (recomputation) {
            case NONE -> ActivationCheckpointing.NONE;
            case SELECTIVE -> ActivationCheckpointing.SELECTIVE;
            case FULL -> ActivationCheckpointing.FULL;
        };
    }
}
