package io.penstock.tensor.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Compilers of this machine, and where the kernels lie. */
final class Tools {
    private Tools() {}

    static Path sources() {
        return home().resolve("tensor/src/main/cuda");
    }

    static Path hostSources() {
        return home().resolve("tensor/src/test/cuda");
    }

    private static Path home() {
        String home = System.getProperty("penstock.home");
        if (home == null) {
            throw new IllegalStateException("penstock.home is not set: run the tests through Maven");
        }
        return Path.of(home);
    }

    /** A folder for this test run's build products, inside the module's target. */
    static Path scratch() throws IOException {
        return Files.createDirectories(home().resolve("tensor/target/cuda-host"));
    }

    static List<Path> kernels() throws IOException {
        try (var files = Files.list(sources())) {
            return files.filter(file -> file.toString().endsWith(".cu"))
                    .sorted()
                    .toList();
        }
    }

    static Optional<Path> find(String program, String... moreFolders) {
        List<String> folders = new ArrayList<>(List.of(System.getenv("PATH").split(File.pathSeparator, -1)));
        folders.addAll(List.of(moreFolders));
        return folders.stream()
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    static void run(List<String> command) throws IOException, InterruptedException {
        finish(start(command), command);
    }

    static void finish(Process process, List<String> command) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(5, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IllegalStateException(String.join(" ", command) + " failed:\n" + output);
        }
    }
}
