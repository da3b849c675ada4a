package io.penstock.engine.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A command that was started, and all processes below it. */
record Running(Process process, Path outFile, Path errFile) {
    private static final long LIMIT_SECONDS = 90;
    private static final long POLL_MS = 20;
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    String out() {
        return read(outFile);
    }

    String err() {
        return read(errFile);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until the command has printed {@code text}. */
    Running untilOut(String text) {
        long begin = System.nanoTime();
        while (!out().contains(text)) {
            if (!process.isAlive() || seconds(begin) > LIMIT_SECONDS) {
                fail("'" + text + "' was not printed");
            }
            pause();
        }
        return this;
    }

    /** Waits for its end, which must be with {@code code}. */
    Running end(int code) {
        return endWithin(code, LIMIT_SECONDS);
    }

    Running endWithin(int code, long limitSeconds) {
        try {
            if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
                fail("did not end within " + limitSeconds + " s");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        assertEquals(code, process.exitValue(), this::words);
        return this;
    }

    private void fail(String what) {
        String words = words();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError(what + "\n" + words);
    }

    private String words() {
        return "standard output:\n" + out() + "\nerrors:\n" + err();
    }

    /** The ranks' processes, in the order of their start. */
    List<ProcessHandle> ranks() {
        return process.children()
                .sorted((a, b) -> a.info()
                        .startInstant()
                        .orElseThrow()
                        .compareTo(b.info().startInstant().orElseThrow()))
                .toList();
    }

    void signal(String name) {
        signal(process.toHandle(), name);
    }

    static void signal(ProcessHandle target, String name) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(target.pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Files of this command's media driver. */
    List<Path> sharedMemory() {
        try (Stream<Path> files = Files.list(SHARED_MEMORY)) {
            String prefix = "penstock-" + process.pid() + "-";
            return files.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All of {@code processes} end by themselves. */
    static void awaitGone(List<ProcessHandle> processes, long limitSeconds) {
        long begin = System.nanoTime();
        while (processes.stream().anyMatch(ProcessHandle::isAlive)) {
            if (seconds(begin) > limitSeconds) {
                List<ProcessHandle> left =
                        processes.stream().filter(ProcessHandle::isAlive).toList();
                left.forEach(ProcessHandle::destroyForcibly);
                throw new AssertionError("left behind after " + limitSeconds + " s: " + left);
            }
            pause();
        }
    }

    private static double seconds(long beginNs) {
        return (System.nanoTime() - beginNs) / 1e9;
    }

    private static void pause() {
        try {
            Thread.sleep(POLL_MS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
