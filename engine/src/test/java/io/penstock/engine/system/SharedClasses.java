package io.penstock.engine.system;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * The class path of the JVMs that tests start, and an archive of the classes that a run loads. The JVM maps it: parsing and verifying them would be most of a short life. It takes class
 * files in jars alone, so folders are packed.
 */
final class SharedClasses {
    private static final class Once {
        static final SharedClasses MADE = make();

        private Once() {}
    }

    private final String classPath;
    private final Path archive;

    private SharedClasses(String classPath, Path archive) {
        this.classPath = classPath;
        this.archive = archive;
    }

    static List<String> flags() {
        // The modules that our flags add are not in the JVM's own archive, of which it complains on standard output.
        return List.of("-XX:SharedArchiveFile=" + Once.MADE.archive, "-Xlog:cds*=off", "-cp", Once.MADE.classPath);
    }

    static List<String> flagsWithoutArchive() {
        return List.of("-cp", Once.MADE.classPath);
    }

    private static SharedClasses make() {
        try {
            Path folder = Files.createTempDirectory("penstock-classes");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
            String classPath = packed(folder);
            Path archive = folder.resolve("classes.jsa");
            Path run = Files.createDirectory(folder.resolve("run"));
            Sandbox.in(run)
                    .startJvm(
                            List.of("-XX:ArchiveClassesAtExit=" + archive, "-Xlog:disable", "-cp", classPath),
                            Sandbox.MAIN,
                            Map.of(),
                            Sandbox.train("cluster.launch=threads", "training.steps=2"))
                    .end(0);
            return new SharedClasses(classPath, archive);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String packed(Path folder) {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path path = Path.of(entry).toAbsolutePath();
            if (entry.isEmpty()) {
                continue; // the JVM takes it for the working folder
            }
            if (Files.isDirectory(path)) {
                Path jar = folder.resolve(entries.size() + ".jar");
                jar("--create", "--no-compress", "--file", jar.toString(), "-C", path.toString(), ".");
                entries.add(jar.toString());
            } else if (Files.exists(path)) {
                entries.add(path.toString());
            }
        }
        return String.join(File.pathSeparator, entries);
    }

    private static void jar(String... arguments) {
        StringWriter words = new StringWriter();
        PrintWriter out = new PrintWriter(words);
        int code = ToolProvider.findFirst("jar").orElseThrow().run(out, out, arguments);
        if (code != 0) {
            throw new IllegalStateException("jar ended with " + code + ": " + words);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
