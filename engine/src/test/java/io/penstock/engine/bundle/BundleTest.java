package io.penstock.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BundleTest {
    @Test
    void shouldPackNoRunsThatLieBesideTheExamples(@TempDir Path folder) throws IOException {
        Path examples = folder.resolve("examples");
        for (String file : new String[] {
            "one.yaml", "java/One.java", "runs/one/config.yaml", "runs/one/model.safetensors", "java/One.class"
        }) {
            Files.createDirectories(examples.resolve(file).getParent());
            Files.writeString(examples.resolve(file), file);
        }
        Path packed = folder.resolve("packed");
        Bundle.copyExamples(examples, packed);
        try (var walk = Files.walk(packed)) {
            assertEquals(
                    Set.of("one.yaml", "java/One.java"),
                    walk.filter(Files::isRegularFile)
                            .map(path -> packed.relativize(path).toString())
                            .collect(Collectors.toSet()));
        }
        Bundle.copyExamples(folder.resolve("absent"), packed);
    }
}
