package io.penstock.models;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Published model sizes by name; Hugging Face's names of the same sizes are taken too. */
public final class Presets {
    private static final List<String> NAMES = List.of("gpt2-124m", "gpt2-355m", "gpt2-774m", "gpt2-1.5b");
    private static final Map<String, String> HUGGING_FACE =
            Map.of("gpt2", "gpt2-124m", "gpt2-medium", "gpt2-355m", "gpt2-large", "gpt2-774m", "gpt2-xl", "gpt2-1.5b");

    private Presets() {}

    /** Names, smallest first. */
    public static List<String> names() {
        return NAMES;
    }

    public static Optional<ModelConfig> find(String name) {
        return switch (HUGGING_FACE.getOrDefault(name, name)) {
            case "gpt2-124m" -> Optional.of(gpt2(12, 768, 12));
            case "gpt2-355m" -> Optional.of(gpt2(24, 1024, 16));
            case "gpt2-774m" -> Optional.of(gpt2(36, 1280, 20));
            case "gpt2-1.5b" -> Optional.of(gpt2(48, 1600, 25));
            default -> Optional.empty();
        };
    }

    private static ModelConfig gpt2(int layers, int hidden, int heads) {
        return new ModelConfig("gpt2", layers, hidden, heads, 4 * hidden, 1024, 50257, 1e-5f, true, 0.02);
    }
}
