package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.bundle.Bundle;
import io.penstock.engine.bundle.BundleParts;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A bundle, unpacked where there is no Java, trains. */
@Tag("system")
@Tag("slow")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
final class BundleSystemTest {
    /** With the text of the quickstart, where it is at hand. */
    private static final long MOST_BYTES = 60_000_000;

    @Test
    void shouldTrainFromAnArchiveWithoutAnyJava(@TempDir Path folder) throws IOException, InterruptedException {
        Path home = Path.of(System.getProperty("penstock.home")).toAbsolutePath();
        Path archive = folder.resolve("penstock.tar.gz");
        long bytes = new Bundle(home, Path.of(System.getProperty("java.home")), mainClassPath())
                .write(archive, "penstock", BundleParts.ALL);
        assertTrue(bytes < MOST_BYTES, bytes + " bytes");

        run(folder, 0, "tar", "-xzf", archive.toString());
        Sandbox.in(folder);
        List<String> train =
                new ArrayList<>(List.of(folder.resolve("penstock/bin/penstock").toString()));
        train.addAll(List.of(Sandbox.train("run.name=bundled", "training.steps=4")));
        String output = run(folder, 0, train.toArray(String[]::new));
        assertTrue(output.contains("checkpoint after step 4"), output);
        String version = run(folder, 0, folder.resolve("penstock/bin/penstock").toString(), "version");
        assertTrue(version.lines().anyMatch(line -> line.startsWith("penstock ")), version);
        assertTrue(entries(folder.resolve("penstock/lib")).contains("lib/libJCudaDriver-12.6.0-linux-x86_64.so"));
        assertFalse(entries(folder.resolve("penstock/lib")).contains("lib/libJNvPTXCompiler-12.6.0-linux-x86_64.so"));
    }

    private static Set<String> entries(Path lib) throws IOException {
        Set<String> names = new HashSet<>();
        try (var jars = Files.list(lib)) {
            for (Path jar : jars.toList()) {
                try (ZipFile zip = new ZipFile(jar.toFile())) {
                    zip.stream().map(ZipEntry::getName).forEach(names::add);
                }
            }
        }
        return names;
    }

    /** As the script would give it: no tests, no test libraries. */
    private static String mainClassPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> !entry.isEmpty() // the JVM takes it for the working folder
                        && !entry.contains("test")
                        && !entry.contains("pytorch")
                        && !entry.contains("openblas")
                        && !entry.contains("junit")
                        && !entry.contains("archunit"))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** With a path on which there is a shell and no java. */
    private static String run(Path folder, int code, String... command) throws IOException, InterruptedException {
        Path bin = folder.resolve("path");
        if (!Files.exists(bin)) {
            Files.createDirectory(bin);
            for (String tool : List.of("sh", "sed", "dirname", "readlink", "tar", "gzip")) {
                for (String place : List.of("/usr/bin", "/bin")) {
                    if (Files.exists(Path.of(place, tool)) && !Files.exists(bin.resolve(tool))) {
                        Files.createSymbolicLink(bin.resolve(tool), Path.of(place, tool));
                    }
                }
            }
        }
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", bin.toString());
        builder.environment().put("HOME", folder.toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(code, process.waitFor(), output);
        return output;
    }
}
