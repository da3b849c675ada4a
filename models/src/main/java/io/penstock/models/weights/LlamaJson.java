package io.penstock.models.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.ModelConfig;

/** The keys of a Llama in Hugging Face's {@code config.json}. The sizes must be there; what would change the computation and is not built is an error. */
final class LlamaJson {
    static final String LLAMA = "llama";
    /** Of the library, where the file says nothing. */
    private static final double EPSILON = 1e-6;

    private LlamaJson() {}

    static ModelConfig shape(JsonKeys keys) {
        keys.refuseText("hidden_act", "silu");
        keys.refuse("attention_bias", false);
        keys.refuse("mlp_bias", false);
        int hidden = keys.required("hidden_size");
        int heads = keys.required("num_attention_heads");
        int headSize = keys.integer("head_dim", "head_dim", heads == 0 ? 0 : hidden / heads);
        if (heads != 0 && headSize * (long) heads != hidden) {
            throw new ModelFileException(
                    keys.path(),
                    "head_dim is " + headSize + ": only hidden_size / num_attention_heads = " + hidden + " / " + heads
                            + " is supported");
        }
        return new ModelConfig(
                LLAMA,
                keys.required("num_hidden_layers"),
                hidden,
                heads,
                keys.required("intermediate_size"),
                keys.required("max_position_embeddings"),
                keys.required("vocab_size"),
                (float) keys.number("rms_norm_eps", EPSILON),
                keys.flag("tie_word_embeddings", false),
                keys.number("initializer_range", 0.02),
                keys.integer("num_key_value_heads", "num_key_value_heads", heads),
                theta(keys));
    }

    /** {@code rope_theta}, or that of {@code rope_parameters}, where newer files keep it; frequencies that are scaled are not built. */
    private static double theta(JsonKeys keys) {
        for (String section : new String[] {"rope_scaling", "rope_parameters"}) {
            JsonNode scaling = keys.root().path(section);
            String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
            if (!scaling.isMissingNode() && !scaling.isNull() && !type.equals("default")) {
                throw new ModelFileException(
                        keys.path(), section + " is of type '" + type + "': only 'default' is supported");
            }
        }
        double given = keys.root().path("rope_parameters").path("rope_theta").asDouble(ModelConfig.ROPE_THETA);
        double theta = keys.number("rope_theta", given);
        if (!(theta >= 1)) {
            throw new ModelFileException(keys.path(), "rope_theta is " + theta + ", expected at least 1");
        }
        return theta;
    }

    static void write(ObjectNode root, ModelConfig config) {
        root.put("attention_bias", false).put("attention_dropout", 0.0).put("mlp_bias", false);
        root.put("hidden_act", "silu");
        root.put("head_dim", config.headSize());
        root.put("hidden_size", config.hiddenSize());
        root.put("initializer_range", config.initializerRange());
        root.put("intermediate_size", config.intermediateSize());
        root.put("max_position_embeddings", config.maxPositionEmbeddings());
        root.put("num_attention_heads", config.numAttentionHeads());
        root.put("num_hidden_layers", config.numHiddenLayers());
        root.put("num_key_value_heads", config.numKeyValueHeads());
        // the shortest decimal of the float, which reads back as the same float
        root.put("rms_norm_eps", Double.parseDouble(Float.toString(config.layerNormEpsilon())));
        root.put("rope_theta", config.ropeTheta());
        root.put("tie_word_embeddings", config.tieWordEmbeddings());
        root.put("vocab_size", config.vocabSize());
    }
}
