package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs whose states lie outside of device memory. */
@Tag("system")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OffloadSystemTest {
    private static final int STEPS = 200;
    private static final int CHECKPOINT = 50;

    @TempDir
    private static Path folder;

    private static Sandbox sandbox;
    private static Map<String, String> expected;

    @BeforeAll
    static void train() throws IOException {
        sandbox = Sandbox.in(folder);
        sandbox.start(command("whole", "cluster.launch=threads")).end(0);
        expected = Sandbox.tensors(sandbox.checkpoint("whole", STEPS));
    }

    private static String[] command(String name, String... more) {
        String[] all = Arrays.copyOf(more, more.length + 4);
        all[more.length] = "run.name=" + name;
        all[more.length + 1] = "training.precision=bf16";
        all[more.length + 2] = "training.steps=" + STEPS;
        all[more.length + 3] = "checkpoint.every=" + CHECKPOINT;
        return Sandbox.train(all);
    }

    private static List<Path> left(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(path -> path.toString().contains("penstock-offload"))
                    .toList();
        }
    }

    @Test
    void shouldTrainInProcessesToTheBitsOfMemory() throws IOException {
        trainToTheBitsOfMemory("files", "processes", "[optimizer, activations]", 0, 1, "gpipe");
    }

    /** The stores' bits are SameBitsOffloadedTest's; these are their whole runs. */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"chronicle-map,threads,optimizer,0,1,1f1b", "host,threads,parameters,3,2,1f1b"})
    void shouldTrainToTheBitsOfMemory(String kind, String launch, String what, int zeroStage, int data, String schedule)
            throws IOException {
        trainToTheBitsOfMemory(kind, launch, what, zeroStage, data, schedule);
    }

    /** Four processes with four maps: half a minute on two cores. */
    @Test
    @Tag("slow")
    void shouldTrainReplicasInProcessesToTheBitsOfMemory() throws IOException {
        trainToTheBitsOfMemory("chronicle-map", "processes", "[activations, parameters]", 3, 2, "gpipe");
    }

    private void trainToTheBitsOfMemory(
            String kind, String launch, String what, int zeroStage, int data, String schedule) throws IOException {
        String name = kind + "-" + launch;
        Running run = sandbox.start(command(
                        name,
                        "cluster.launch=" + launch,
                        "cluster.offload_store.kind=" + kind,
                        "parallelism.offload=" + what,
                        "parallelism.schedule=" + schedule,
                        "parallelism.zero_stage=" + zeroStage,
                        "parallelism.data=" + data))
                .end(0);
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint(name, STEPS)));
        // Chronicle Map announces nothing and starts without a word; the vector module's line is the JVM's.
        assertEquals("WARNING: Using incubator modules: jdk.incubator.vector\n", run.err());
        assertEquals(List.of(), left(sandbox.folder()));
    }

    @Test
    @Tag("slow")
    void shouldRebuildAStoreFromTheCheckpointAfterARankWasKilled() throws IOException {
        killAndResume("files");
    }

    @Test
    @Tag("slow")
    void shouldRebuildAMapFromTheCheckpointAfterARankWasKilled() throws IOException {
        killAndResume("chronicle-map");
    }

    private void killAndResume(String kind) throws IOException {
        String name = "killed-" + kind;
        String[] train = command(
                name,
                "cluster.launch=processes",
                "cluster.offload_store.kind=" + kind,
                "parallelism.schedule=gpipe",
                "parallelism.offload=[activations, optimizer]");
        Running run = sandbox.start(train).untilOut("checkpoint after step " + CHECKPOINT);
        Running.signal(run.ranks().getLast(), "KILL");
        run.end(4);
        assertFalse(Files.exists(sandbox.checkpoint(name, STEPS)), "killed after its last step");
        assertEquals(List.of(), left(sandbox.folder()));
        String[] resume = Arrays.copyOf(train, train.length + 2);
        resume[train.length] = "--resume";
        resume[train.length + 1] = "latest";
        sandbox.start(resume).end(0);
        assertEquals(expected, Sandbox.tensors(sandbox.checkpoint(name, STEPS)));
    }

    @Test
    void shouldSayThatADiskIsFullBeforeARankStarts() throws Exception {
        Path disk = Files.createDirectory(sandbox.folder().resolve("disk"));
        int status = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        assumeTrue(status == 0, "not allowed to mount a tmpfs: mount ended with " + status);
        try {
            Running run = sandbox.start(
                            command("full", "parallelism.offload=optimizer", "cluster.offload_store.directory=" + disk))
                    .end(3);
            String err = run.err();
            assertTrue(err.contains("the offloaded state of all ranks needs "), err);
            assertTrue(err.contains(" in " + disk + ", 65536 (64.0 KiB) are free there"), err);
            assertFalse(Files.exists(sandbox.run("full")), "the run had begun");
        } finally {
            new ProcessBuilder("umount", "-l", disk.toString()).start().waitFor();
        }
    }
}
