package io.penstock.models.tokens;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.weights.JsonFile;
import io.penstock.models.weights.ModelFileException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Tokenizers by name, and by the {@code tokenizer_config.json} of a folder. */
public final class Tokenizers {
    private static final String FILE = "tokenizer_config.json";
    private static final String NAME_KEY = "penstock_tokenizer";
    private static final String CLASS_KEY = "tokenizer_class";

    private Tokenizers() {}

    public static List<String> names() {
        return List.of(ByteTokenizer.NAME, Gpt2Tokenizer.NAME);
    }

    public static Optional<Tokenizer> find(String name) {
        return switch (name) {
            case ByteTokenizer.NAME -> Optional.of(new ByteTokenizer());
            case Gpt2Tokenizer.NAME -> Optional.of(new Gpt2Tokenizer());
            default -> Optional.empty();
        };
    }

    /**
     * The tokenizer that {@link Tokenizer#save} wrote down, or GPT-2's for a published GPT-2 (whose folder may hold {@code vocab.json} or {@code
     * tokenizer.json} alone). Throws {@link ModelFileException} if there is none, or one that is not built.
     */
    public static Tokenizer load(Path folder) {
        Path path = folder.resolve(FILE);
        boolean published =
                Files.exists(folder.resolve("vocab.json")) || Files.exists(folder.resolve("tokenizer.json"));
        if (!Files.exists(path) && !published) {
            throw new ModelFileException(folder, "holds no " + FILE);
        }
        ObjectNode root = Files.exists(path) ? JsonFile.read(path) : JsonFile.object();
        String name = root.path(NAME_KEY).asText("");
        String type = root.path(CLASS_KEY).asText("");
        if (name.isEmpty() && (type.startsWith("GPT2Tokenizer") || (type.isEmpty() && published))) {
            name = Gpt2Tokenizer.NAME;
        }
        String found = name.isEmpty() ? type : name;
        return find(name)
                .orElseThrow(() -> new ModelFileException(path, "tokenizer '" + found + "' is none of " + names()));
    }

    static void save(Path folder, String name, String tokenizerClass) {
        ObjectNode root = JsonFile.object();
        root.put(CLASS_KEY, tokenizerClass).put(NAME_KEY, name);
        JsonFile.write(folder.resolve(FILE), root);
    }
}
