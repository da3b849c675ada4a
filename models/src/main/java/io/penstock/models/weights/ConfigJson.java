package io.penstock.models.weights;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.ModelConfig;
import java.nio.file.Path;
import java.util.Set;

/**
 * Hugging Face's {@code config.json} of a GPT-2 or a Llama. GPT-2's own keys are {@code n_layer, n_embd, n_head, n_positions, n_inner}; the common names ({@code
 * num_hidden_layers} and so on), which the library takes as aliases, are read too. What would change the computation and is not built is an error.
 */
public final class ConfigJson {
    public static final String FILE = "config.json";
    private static final String GPT2 = "gpt2";
    /** Two names of the tanh form. */
    private static final Set<String> ACTIVATIONS = Set.of("gelu_new", "gelu_pytorch_tanh");

    private ConfigJson() {}

    /** Of a GPT-2 or a Llama, as its {@code model_type} says. Throws {@link ModelFileException}. */
    public static ModelConfig read(Path path) {
        String type = JsonFile.read(path).path("model_type").asText("");
        if (!type.equals(GPT2) && !type.equals(LlamaJson.LLAMA)) {
            throw new ModelFileException(
                    path, "model_type is '" + type + "', expected '" + GPT2 + "' or '" + LlamaJson.LLAMA + "'");
        }
        return read(path, type);
    }

    /** Of a model that says this {@code model_type}: a GPT-2 or a Llama by their keys, or a model of somebody's own that {@link #write} wrote, by GPT-2's. Throws {@link ModelFileException}. */
    public static ModelConfig read(Path path, String architecture) {
        ObjectNode root = JsonFile.read(path);
        String type = root.path("model_type").asText("");
        if (!type.equals(architecture)) {
            throw new ModelFileException(path, "model_type is '" + type + "', expected '" + architecture + "'");
        }
        JsonKeys keys = new JsonKeys(path, root);
        try {
            return type.equals(LlamaJson.LLAMA) ? LlamaJson.shape(keys) : shape(keys, architecture);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ModelFileException(path, String.valueOf(e.getMessage()));
        }
    }

    private static ModelConfig shape(JsonKeys keys, String architecture) {
        String activation = keys.root().path("activation_function").asText("gelu_new");
        if (!ACTIVATIONS.contains(activation)) {
            throw new ModelFileException(keys.path(), "activation_function is '" + activation + "', expected gelu_new");
        }
        keys.refuse("scale_attn_by_inverse_layer_idx", false);
        keys.refuse("add_cross_attention", false);
        keys.refuse("scale_attn_weights", true);
        int hidden = keys.integer("n_embd", "hidden_size", 768);
        int heads = keys.integer("n_head", "num_attention_heads", 12);
        return new ModelConfig(
                architecture,
                keys.integer("n_layer", "num_hidden_layers", 12),
                hidden,
                heads,
                keys.integer("n_inner", "intermediate_size", Math.multiplyExact(4, hidden)),
                keys.integer("n_positions", "max_position_embeddings", 1024),
                keys.integer("vocab_size", "vocab_size", 50257),
                (float) keys.number("layer_norm_epsilon", 1e-5),
                keys.flag("tie_word_embeddings", true),
                keys.number("initializer_range", 0.02),
                keys.integer("num_key_value_heads", "num_key_value_heads", heads),
                keys.number("rope_theta", ModelConfig.ROPE_THETA));
    }

    /**
     * Written so that Hugging Face's GPT2Config or LlamaConfig computes the same: no dropout, {@code n_inner} spelt out. Of a model of somebody's own, with its own {@code model_type}, that library
     * knows no class and none is named. Atomic.
     */
    public static void write(Path path, ModelConfig config) {
        ObjectNode root = JsonFile.object();
        ArrayNode architectures = root.putArray("architectures");
        root.put("model_type", config.architecture());
        if (config.architecture().equals(LlamaJson.LLAMA)) {
            architectures.add("LlamaForCausalLM");
            LlamaJson.write(root, config);
        } else {
            gpt2(root, architectures, config);
        }
        JsonFile.write(path, root);
    }

    private static void gpt2(ObjectNode root, ArrayNode architectures, ModelConfig config) {
        if (config.architecture().equals(GPT2)) {
            architectures.add("GPT2LMHeadModel");
        } else {
            root.put("num_key_value_heads", config.numKeyValueHeads()).put("rope_theta", config.ropeTheta());
        }
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
    }
}
