package io.penstock.models.weights;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.ModelConfig;
import java.nio.file.Path;
import java.util.Set;

/**
 * Hugging Face's {@code config.json} of a GPT-2. The file's own keys are {@code n_layer, n_embd, n_head, n_positions, n_inner}; the common names ({@code
 * num_hidden_layers} and so on), which the library takes as aliases, are read too. What would change the computation and is not built is an error.
 */
public final class ConfigJson {
    public static final String FILE = "config.json";
    private static final String GPT2 = "gpt2";
    /** Two names of the tanh form. */
    private static final Set<String> ACTIVATIONS = Set.of("gelu_new", "gelu_pytorch_tanh");

    private final Path path;
    private final ObjectNode root;

    private ConfigJson(Path path, ObjectNode root) {
        this.path = path;
        this.root = root;
    }

    /** Of a GPT-2. Throws {@link ModelFileException}. */
    public static ModelConfig read(Path path) {
        return read(path, GPT2);
    }

    /** Of a model that says this {@code model_type}, by the same keys: a GPT-2, or a model of somebody's own that {@link #write} wrote. Throws {@link ModelFileException}. */
    public static ModelConfig read(Path path, String architecture) {
        ObjectNode root = JsonFile.read(path);
        String type = root.path("model_type").asText("");
        if (!type.equals(architecture)) {
            throw new ModelFileException(path, "model_type is '" + type + "', expected '" + architecture + "'");
        }
        return new ConfigJson(path, root).shape(architecture);
    }

    private ModelConfig shape(String architecture) {
        String activation = root.path("activation_function").asText("gelu_new");
        if (!ACTIVATIONS.contains(activation)) {
            throw new ModelFileException(path, "activation_function is '" + activation + "', expected gelu_new");
        }
        refuse("scale_attn_by_inverse_layer_idx", false);
        refuse("add_cross_attention", false);
        refuse("scale_attn_weights", true);
        int hidden = integer("n_embd", "hidden_size", 768);
        try {
            return new ModelConfig(
                    architecture,
                    integer("n_layer", "num_hidden_layers", 12),
                    hidden,
                    integer("n_head", "num_attention_heads", 12),
                    integer("n_inner", "intermediate_size", Math.multiplyExact(4, hidden)),
                    integer("n_positions", "max_position_embeddings", 1024),
                    integer("vocab_size", "vocab_size", 50257),
                    (float) number("layer_norm_epsilon", 1e-5),
                    flag("tie_word_embeddings", true),
                    number("initializer_range", 0.02));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ModelFileException(path, String.valueOf(e.getMessage()));
        }
    }

    private void refuse(String key, boolean expected) {
        if (flag(key, expected) != expected) {
            throw new ModelFileException(path, key + " is " + !expected + ": only " + expected + " is supported");
        }
    }

    private int integer(String key, String alias, int fallback) {
        JsonNode value = root.has(key) ? root.path(key) : root.path(alias);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new ModelFileException(path, key + " is " + value + ", expected an integer");
        }
        return value.intValue();
    }

    private double number(String key, double fallback) {
        JsonNode value = root.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isNumber()) {
            throw new ModelFileException(path, key + " is " + value + ", expected a number");
        }
        return value.doubleValue();
    }

    private boolean flag(String key, boolean fallback) {
        JsonNode value = root.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return fallback;
        }
        if (!value.isBoolean()) {
            throw new ModelFileException(path, key + " is " + value + ", expected true or false");
        }
        return value.booleanValue();
    }

    /**
     * Written so that Hugging Face's GPT2Config computes the same: no dropout, {@code n_inner} spelt out. Of a model of somebody's own, with its own {@code model_type}, that library
     * knows no class and none is named. Atomic.
     */
    public static void write(Path path, ModelConfig config) {
        ObjectNode root = JsonFile.object();
        ArrayNode architectures = root.putArray("architectures");
        if (config.architecture().equals(GPT2)) {
            architectures.add("GPT2LMHeadModel");
        }
        root.put("model_type", config.architecture());
        root.put("activation_function", "gelu_new");
        root.put("attn_pdrop", 0.0).put("embd_pdrop", 0.0).put("resid_pdrop", 0.0);
        root.put("initializer_range", config.initializerRange());
        // the shortest decimal of the float, which reads back as the same float
        root.put("layer_norm_epsilon", Double.parseDouble(Float.toString(config.layerNormEpsilon())));
        root.put("n_embd", config.hiddenSize());
        root.put("n_head", config.numAttentionHeads());
        root.put("n_inner", config.intermediateSize());
        root.put("n_layer", config.numHiddenLayers());
        root.put("n_positions", config.maxPositionEmbeddings());
        root.put("tie_word_embeddings", config.tieWordEmbeddings());
        root.put("vocab_size", config.vocabSize());
        JsonFile.write(path, root);
    }
}
