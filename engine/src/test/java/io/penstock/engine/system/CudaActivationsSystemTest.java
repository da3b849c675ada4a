package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.RankMemory;
import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final Pattern MEMORY =
            Pattern.compile("(\\d+) bytes planned, (\\d+) allocated, (\\d+) offloaded", Pattern.DOTALL);

    private static final String ELSEWHERE = "cluster.offload_store.kind=host";

    private static String[] layout(String parallelism, String... more) {
        return CudaRuns.plus(more, "parallelism={" + parallelism + "}", "training.micro_batch_size=1");
    }

    /** The limit is what the leaner layout needs, to the byte, and too little for the other. */
    @Test
    void shouldTrainToTheSameBitsInMemoryThatOnlyTheOffloadedLayoutFits(@TempDir Path folder) throws Exception {
        Map<String, String> machine = StandInMachine.variables(Files.createDirectory(folder.resolve("libraries")));
        Sandbox sandbox = Sandbox.in(folder);
        CudaRuns runs = new CudaRuns(sandbox, machine);
        String gpipe = "pipeline: 2, schedule: gpipe";
        String[] whole = layout(gpipe);
        String[] offloaded = layout(gpipe + ", offload: [optimizer, activations]", ELSEWHERE);
        String[] split = layout("pipeline: 4, schedule: zb-h1, offload: activations", ELSEWHERE);
        long most = runs.mostPlanned(offloaded);
        String limit = "cluster.memory_per_rank=" + most;
        assertTrue(runs.mostPlanned(whole) > most);
        runs.train("whole", "cuda", whole);
        runs.train("offloaded", "cuda", CudaRuns.plus(offloaded, limit));
        runs.train("zb-h1", "cuda", split);
        runs.train("too-much", "cuda", layout(gpipe + ", offload: optimizer", ELSEWHERE, limit));
        Running run = runs.start().end(3);
        assertTrue(run.err().contains("cluster.memory_per_rank is " + most), run.err());
        assertTrue(!Files.exists(sandbox.run("too-much")), "it began");
        runs.same("whole", "offloaded");
        runs.same("whole", "zb-h1");
        assertAllocatedAsPlanned(sandbox.run("offloaded"), runs.planned(offloaded));
        assertAllocatedAsPlanned(sandbox.run("zb-h1"), runs.planned(split));
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
