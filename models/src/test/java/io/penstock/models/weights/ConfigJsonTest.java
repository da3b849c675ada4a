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

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"model_type": "llama"} | model_type is 'llama'
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
