package io.penstock.models.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.ModelConfig;
import io.penstock.models.Presets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ConfigJsonTest {
    @TempDir
    Path folder = Path.of("");

    private ModelConfig read(String text) throws IOException {
        return ConfigJson.read(Files.writeString(folder.resolve("config.json"), text));
    }

    @Test
    void shouldReadTheKeysOfPublishedGpt2() throws IOException {
        ModelConfig config = read("""
                {"activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "bos_token_id": 50256,
                 "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
                 "n_ctx": 1024, "n_embd": 1024, "n_head": 16, "n_layer": 24, "n_positions": 1024, "n_special": 0, "predict_special_tokens": true,
                 "resid_pdrop": 0.1, "summary_activation": null, "n_inner": null, "vocab_size": 50257}""");
        assertEquals(Presets.find("gpt2-medium").orElseThrow(), config);
    }

    @Test
    void shouldReadWhatItWrote() throws IOException {
        var config = new ModelConfig("gpt2", 3, 48, 4, 100, 77, 256, 1e-6f, false, 0.03);
        Path path = folder.resolve("config.json");
        ConfigJson.write(path, config);
        assertEquals(config, ConfigJson.read(path));
        String text = Files.readString(path);
        assertTrue(text.contains("\"n_layer\" : 3") && text.contains("\"n_inner\" : 100"), text);
        assertTrue(text.contains("\"layer_norm_epsilon\" : 1.0E-6"), text);
    }

    @Test
    void shouldReadTheKeysOfPublishedLlama() throws IOException {
        ModelConfig config = read("""
                {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000,
                 "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
                 "max_position_embeddings": 8192, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
                 "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 500000.0,
                 "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 128256}""");
        assertEquals(
                new ModelConfig("llama", 32, 4096, 32, 14336, 8192, 128256, 1e-5f, false, 0.02, 8, 500_000), config);
        Path path = folder.resolve("written.json");
        ConfigJson.write(path, config);
        assertEquals(config, ConfigJson.read(path));
        String text = Files.readString(path);
        assertTrue(text.contains("LlamaForCausalLM") && text.contains("\"num_key_value_heads\" : 8"), text);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"model_type": "mamba"} | model_type is 'mamba', expected 'gpt2' or 'llama'
            {"model_type": "llama"} | has no hidden_size
            {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "head_dim": 5} | head_dim is 5
            {"model_type": "llama", "hidden_act": "gelu"} | hidden_act is 'gelu', expected silu
            {"model_type": "llama", "attention_bias": true} | attention_bias is true
            {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1, "max_position_embeddings": 8, "vocab_size": 8, "rope_scaling": {"rope_type": "llama3"}} | rope_scaling is of type 'llama3'
            {"model_type": "gpt2", "n_embd": 10, "n_head": 3} | hidden_size=10 % num_attention_heads=3
            {"model_type": "gpt2", "n_embd": "10"} | n_embd is "10", expected an integer
            {"model_type": "gpt2", "n_embd": 0} | hidden_size=0
            {"model_type": "gpt2", "n_embd": 1000000000, "n_head": 1} | overflow
            {"model_type": "gpt2", "activation_function": "relu"} | expected gelu_new
            {"model_type": "gpt2", "scale_attn_weights": false} | scale_attn_weights is false
            {"model_type": "gpt2", "n_layer": 1, "n_layer": 2} | config.json:1:
            {"model_type": "gpt2", | config.json:1:
            """)
    void shouldRefuseWhatItCannotCompute(String text, String expected) {
        var error = assertThrows(ModelFileException.class, () -> read(text));
        assertTrue(String.valueOf(error.getMessage()).contains(expected), error.getMessage());
    }
}
