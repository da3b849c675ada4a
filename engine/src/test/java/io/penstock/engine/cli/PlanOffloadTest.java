package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is offloaded, in a plan's text, page and JSON, and chosen where nothing fits without. */
final class PlanOffloadTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        write("What does not fit goes elsewhere. ".repeat(50), "small", 2, """
                data: {source: text.txt}
                training: {steps: 2, global_batch_size: 16, micro_batch_size: 2, sequence_length: 16}
                parallelism: {schedule: gpipe}
                """);
    }

    private JsonNode json(String... arguments) throws IOException {
        String[] all = Stream.concat(Stream.of("plan", config, "--json"), Stream.of(arguments))
                .toArray(String[]::new);
        assertEquals(0, run(all), err::toString);
        return JSON.readTree(text());
    }

    @Test
    void shouldSayWhatGoesWhere() throws IOException {
        String offload = "parallelism.offload=[optimizer, activations]";
        JsonNode plan = json("--set", offload);
        JsonNode memory = plan.path("plan").path("ranks").get(0).path("memory_bytes");
        long states = memory.path("offloaded_states").asLong();
        long activations = memory.path("offloaded_activations").asLong();
        assertTrue(states > 0 && activations > 0, memory::toString);
        assertEquals(states + activations, plan.path("offloaded_bytes").asLong());
        assertEquals(
                "mapped files in " + folder.resolve("runs"),
                plan.path("offloaded_to").asText());
        Path page = folder.resolve("plan.html");
        assertEquals(0, run("plan", config, "--set", offload, "--html", page.toString()), err::toString);
        assertTrue(text().contains("offloads optimizer, activations: "), this::text);
        assertTrue(text().contains(" of all ranks to mapped files in "), this::text);
        assertTrue(text().contains(" offloaded\n"), this::text);
        assertTrue(Files.readString(page).contains("kept on the device"));
        String host = "cluster.offload_store.kind=host";
        assertEquals(
                "host memory",
                json("--set", offload, "--set", host).path("offloaded_to").asText());
    }

    @Test
    void shouldOffloadWhereNothingFitsWithout() throws IOException {
        String auto = "parallelism={auto: true, pipeline: 1, schedule: gpipe, activation_checkpointing: none}";
        long with = json("--set", "parallelism.offload=activations")
                .path("memory_bytes")
                .asLong();
        long without = json("--set", auto).path("memory_bytes").asLong();
        assertTrue(with < without);
        JsonNode chosen = json("--set", auto, "--set", "cluster.memory_per_rank=" + with);
        assertEquals(with, chosen.path("memory_bytes").asLong());
        assertTrue(chosen.path("offloaded_bytes").asLong() > 0, chosen::toString);
        assertEquals(
                0,
                json("--set", auto, "--set", "cluster.memory_per_rank=" + without)
                        .path("offloaded_bytes")
                        .asLong());
        String fixed = "cluster.memory_per_rank=" + with;
        assertEquals(3, run("plan", config, "--set", fixed));
        assertTrue(err.toString().contains("offload [activations]"), err::toString);
        assertEquals(0, run("train", config, "--set", auto, "--set", fixed), () -> err + text());
    }

    /** A plan for a GPU needs none here, and is held against the limit that is given. */
    @Test
    void shouldOffloadOnAGpuToTheOneStoreThatItReaches() throws IOException {
        String gpu = "cluster.device=cuda";
        String host = "cluster.offload_store.kind=host";
        String activations = "parallelism.offload=activations";
        long with = json("--set", gpu, "--set", host, "--set", activations, "--set", "cluster.memory_per_rank=1GiB")
                .path("memory_bytes")
                .asLong();
        String auto = "parallelism={auto: true, pipeline: 1, schedule: gpipe, activation_checkpointing: none}";
        String limit = "cluster.memory_per_rank=" + with;
        JsonNode chosen = json("--set", gpu, "--set", host, "--set", auto, "--set", limit);
        assertEquals(with, chosen.path("memory_bytes").asLong());
        assertTrue(chosen.path("offloaded_bytes").asLong() > 0, chosen::toString);
        assertEquals(3, run("plan", config, "--set", gpu, "--set", auto, "--set", limit));
        assertTrue(
                err.toString().contains("offload [activations] with cluster.offload_store.kind host"), err::toString);
    }

    /** The given split stays, and nothing is computed again where the states' place alone is enough. */
    @Test
    void shouldOffloadNoMoreThanFitsAsksForWithinWhatTheUserGives() throws IOException {
        String given = "pipeline: 2, schedule: gpipe, split: [1, 3]";
        String fitting = "parallelism={" + given + ", offload: optimizer}";
        String recomputed = "parallelism={" + given + ", activation_checkpointing: full}";
        String few = "training.global_batch_size=4"; // states outweigh activations
        long enough = json("--set", few, "--set", fitting).path("memory_bytes").asLong();
        assertTrue(
                json("--set", few, "--set", recomputed).path("memory_bytes").asLong() > enough,
                "it would fit without offload");
        String auto = "parallelism={auto: true, " + given + "}";
        assertEquals(
                0,
                runConfig("train", "--set", few, "--set", auto, "--set", "cluster.memory_per_rank=" + enough),
                () -> err + text());
        String decided = Files.readString(runFolder("small").resolve("config.yaml"));
        assertTrue(decided.contains("split: [1, 3]"), decided);
        assertTrue(decided.contains("offload: optimizer") || decided.contains("offload: [optimizer]"), decided);
        assertFalse(decided.contains("full") || decided.contains("selective"), decided);
    }
}
