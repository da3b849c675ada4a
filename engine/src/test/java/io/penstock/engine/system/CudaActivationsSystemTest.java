package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.training.RunSetup;
import io.penstock.partitioner.RankMemory;
import io.penstock.tensor.cuda.CudaBackend;
import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs with {@code device: cuda} whose activations go to pinned host memory, on a GPU that is played by the host and does its work as late as it may. */
@Tag("system")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class CudaActivationsSystemTest {
    private static final int STEPS = 2;
    private static final Pattern MEMORY =
            Pattern.compile("(\\d+) bytes planned, (\\d+) allocated, (\\d+) offloaded", Pattern.DOTALL);

    private static final String ELSEWHERE = "cluster.offload_store.kind=host";

    private static List<String> overrides(String name, String parallelism, String... more) {
        List<String> overrides = new ArrayList<>(List.of(
                "run.name=" + name,
                "parallelism=" + parallelism,
                "cluster.device=cuda",
                "cluster.launch=threads",
                "model.hidden_size=16",
                "model.max_position_embeddings=8",
                "training.sequence_length=8",
                "training.micro_batch_size=1",
                "training.steps=" + STEPS,
                "training.validation.sequences=4",
                "checkpoint.every=" + STEPS,
                "logging.sample_tokens=0"));
        overrides.addAll(List.of(more));
        return overrides;
    }

    private static List<RankMemory> planned(Sandbox sandbox, List<String> overrides) {
        List<String> all = new ArrayList<>(overrides);
        all.add("cluster.memory_per_rank=1GiB"); // else it would ask for a GPU
        Config config = ConfigLoader.load(sandbox.folder().resolve("c.yaml"), all);
        return RunSetup.plan(config, RunSetup.model(config), CudaBackend.WORKSPACE_BYTES)
                .memory();
    }

    private static long most(List<RankMemory> ranks) {
        return ranks.stream().mapToLong(RankMemory::totalBytes).max().orElseThrow();
    }

    /** The limit is what the leaner layout needs, to the byte, and too little for the other. */
    @Test
    void shouldTrainToTheSameBitsInMemoryThatOnlyTheOffloadedLayoutFits(@TempDir Path folder) throws Exception {
        Map<String, String> machine = StandInMachine.variables(Files.createDirectory(folder.resolve("libraries")));
        Sandbox sandbox = Sandbox.in(folder);
        String gpipe = "pipeline: 2, schedule: gpipe";
        List<String> whole = overrides("whole", "{" + gpipe + "}");
        List<String> offloaded =
                overrides("offloaded", "{" + gpipe + ", offload: [optimizer, activations]}", ELSEWHERE);
        List<String> split = overrides("zb-h1", "{pipeline: 4, schedule: zb-h1, offload: activations}", ELSEWHERE);
        List<RankMemory> plan = planned(sandbox, offloaded);
        String limit = "cluster.memory_per_rank=" + most(plan);
        assertTrue(most(planned(sandbox, whole)) > most(plan));
        offloaded.add(limit);
        List<String> tooMuch = overrides("too-much", "{" + gpipe + ", offload: optimizer}", ELSEWHERE, limit);
        List<String> commands = new ArrayList<>();
        for (List<String> run : List.of(whole, offloaded, split, tooMuch)) {
            commands.addAll(List.of(Sandbox.train(run.toArray(String[]::new))));
            commands.add(";");
        }
        Running runs = sandbox.startClass(
                        "io.penstock.engine.cli.SeveralCommands",
                        machine,
                        commands.subList(0, commands.size() - 1).toArray(String[]::new))
                .end(3);
        assertTrue(runs.err().contains("cluster.memory_per_rank is " + most(plan)), runs.err());
        assertTrue(!Files.exists(sandbox.run("too-much")), "it began");
        Map<String, String> expected = Sandbox.tensors(sandbox.checkpoint("whole", STEPS));
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint("offloaded", STEPS)));
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint("zb-h1", STEPS)));
        assertAllocatedAsPlanned(sandbox.run("offloaded"), plan);
        assertAllocatedAsPlanned(sandbox.run("zb-h1"), planned(sandbox, split));
    }

    private static void assertAllocatedAsPlanned(Path run, List<RankMemory> plan) throws IOException {
        for (int rank = 0; rank < plan.size(); rank++) {
            String log = Files.readString(run.resolve("logs/rank-" + rank + ".log"));
            Matcher line = MEMORY.matcher(log);
            assertTrue(line.find(), log);
            assertEquals(plan.get(rank).totalBytes(), Long.parseLong(line.group(1)));
            assertEquals(plan.get(rank).totalBytes(), Long.parseLong(line.group(2)));
            assertEquals(plan.get(rank).offloadedBytes(), Long.parseLong(line.group(3)));
        }
        assertTrue(plan.stream().anyMatch(rank -> !rank.offloadedSlots().isEmpty()), "all activations stayed");
    }
}
