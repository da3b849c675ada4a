package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole runs with {@code device: cuda} whose optimizer states, or parameters too, are in host memory that kernels use in place. The GPU is played by the host, and lets kernels use no
 * pinned memory that was not mapped for it.
 */
@Tag("system")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class CudaOffloadSystemTest {
    /** An owner of nothing has this much all the same. */
    private static final long LEAST_ALLOCATION = 64;

    private static final String HOST_STORE = "cluster.offload_store.kind=host";

    @TempDir
    static Path libraries = Path.of("");

    private static Map<String, String> machine = Map.of();

    @BeforeAll
    static void standIn() throws IOException, InterruptedException {
        machine = StandInMachine.variables(libraries);
    }

    /** The card has what the leaner run was planned to hold, and no more: what would lie there and not in host memory found no room. */
    @Test
    void shouldKeepOptimizerStatesOffACardThatHasNoRoomForThem(@TempDir Path folder) throws IOException {
        Sandbox sandbox = Sandbox.in(folder);
        String whole = "parallelism={pipeline: 1}";
        String[] offloaded = {"parallelism={pipeline: 1, offload: optimizer}", HOST_STORE};
        CudaRuns roomy = new CudaRuns(sandbox, machine);
        long room = roomy.mostPlanned(offloaded) + 8 * LEAST_ALLOCATION;
        assertTrue(roomy.mostPlanned(whole) > room, "the states are too small to tell");
        roomy.train("whole", "cuda", whole);
        roomy.start().end(0);
        Map<String, String> full = new TreeMap<>(machine);
        full.put("PENSTOCK_STAND_IN_FREE_BYTES", String.valueOf(room));
        CudaRuns tight = new CudaRuns(sandbox, full);
        tight.train("offloaded", "cuda", offloaded);
        tight.train("too-much", "cuda", whole);
        Running runs = tight.start().end(3);
        assertTrue(
                runs.err().matches("(?s).* needs \\d+ bytes, \\d+ of the limit of \\d+ are free; held: .*"),
                runs.err());
        roomy.same("whole", "offloaded");
    }

    @Test
    void shouldKeepParametersOutOfTheMemoryOfARank(@TempDir Path folder) throws IOException {
        String layout = "parallelism={pipeline: 1, data: 2, zero_stage: 3, schedule: zb-h1";
        String[] lean = {"training.precision=bf16", layout + "}"};
        String[] leaner = {"training.precision=bf16", layout + ", offload: parameters}", HOST_STORE};
        CudaRuns runs = new CudaRuns(Sandbox.in(folder), machine);
        long room = runs.mostPlanned(leaner);
        String limit = "cluster.memory_per_rank=" + room;
        runs.train("lean", "cuda", lean);
        runs.train("leaner", "cuda", CudaRuns.plus(leaner, limit));
        runs.train("too-much", "cuda", CudaRuns.plus(lean, limit));
        Running run = runs.start().end(3);
        assertTrue(run.err().contains("cluster.memory_per_rank is " + room), run.err());
        runs.same("lean", "leaner");
    }
}
