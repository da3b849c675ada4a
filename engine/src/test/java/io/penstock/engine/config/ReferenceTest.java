package io.penstock.engine.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.engine.config.yaml.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The reference page is made from the records; {@code -Dpenstock.write.docs=true} writes it anew. */
final class ReferenceTest {
    private static final Path HOME = Path.of(System.getProperty("penstock.home", ".."));
    private static final String MARK = "<!-- made from the records; ReferenceTest compares it -->\n";

    @Test
    void shouldBeThePageOfTheRecords() throws IOException {
        Path page = HOME.resolve("docs/configuration.md");
        String text = Files.readString(page);
        int end = text.indexOf(MARK) + MARK.length();
        String expected = text.substring(0, end) + Reference.markdown(Config.class, ConfigLoader.scalarTypes(HOME));
        if (Boolean.getBoolean("penstock.write.docs")) {
            Files.writeString(page, expected);
        }
        assertEquals(expected, Files.readString(page));
    }

    @Test
    void shouldLoadTheQuickstarts() {
        List<String> anyData = List.of("data.source=" + HOME.resolve("pom.xml"));
        for (String name : List.of("quickstart", "llama-quickstart")) {
            Config config = ConfigLoader.load(HOME.resolve("examples/" + name + ".yaml"), anyData);
            assertEquals(name, config.run().name());
            assertEquals(2, config.layout().ranks());
        }
    }
}
