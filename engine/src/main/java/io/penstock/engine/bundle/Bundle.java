package io.penstock.engine.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * Packs this installation for machines like this one that have no Java:
 *
 * <pre>
 *   NAME/bin/penstock      sets class path and flags, starts the runtime
 *   NAME/runtime/          jlink's: only the modules that we use
 *   NAME/lib/*.jar         the class path, and the text of the quickstart where it is at hand
 *   NAME/jvm.properties    NAME/examples/    NAME/LICENSE
 * </pre>
 */
public final class Bundle {
    /** What the class path needs of the JDK; services (charsets, zip file systems) are not bound. */
    private static final List<String> MODULES = List.of(
            "java.base",
            "java.compiler",
            "java.logging",
            "java.management",
            "java.naming",
            "java.xml",
            "jdk.incubator.vector",
            "jdk.management",
            "jdk.unsupported",
            "jdk.zipfs");

    /** Chronicle Map compiles accessors when it runs. */
    private static final String COMPILER = "jdk.compiler";

    private static final String CORPUS = "engine/target/corpus/aeron-all-sources.jar";

    private final Path home;
    private final Path javaHome;
    private final String classPath;

    /**
     * @param home the Penstock folder
     * @param javaHome a JDK, whose jlink makes the runtime
     * @param classPath jars and folders, as the JVM knows them
     */
    public Bundle(Path home, Path javaHome, String classPath) {
        this.home = home;
        this.javaHome = javaHome;
        this.classPath = classPath;
    }

    /** Of this process. */
    public static Bundle ofThisProcess() {
        return new Bundle(
                Path.of(System.getProperty("penstock.home", "")).toAbsolutePath(),
                Path.of(System.getProperty("java.home")),
                System.getProperty("java.class.path"));
    }

    /** Writes {@code archive} (.tar.gz), in which everything lies under {@code name}. Returns its bytes. */
    public long write(Path archive, String name, BundleParts parts) throws IOException {
        Path folder = Files.createTempDirectory(archive.toAbsolutePath().getParent(), ".bundle");
        try {
            Path lib = Files.createDirectory(folder.resolve("lib"));
            List<String> jars = new BundledJars(parts).copy(classPath, lib);
            jlink(folder.resolve("runtime"), parts.chronicleMap());
            // What javac knows of older releases, 10 MB: nobody asks for one.
            Files.deleteIfExists(folder.resolve("runtime/lib/ct.sym"));
            trimLibraries(folder.resolve("runtime/lib"));
            Files.writeString(Files.createDirectory(folder.resolve("bin")).resolve("penstock"), script(jars));
            folder.resolve("bin/penstock").toFile().setExecutable(true, false);
            Path flags = folder.resolve("jvm.properties");
            copy(home.resolve("jvm.properties"), flags);
            if (!parts.chronicleMap()) {
                Files.writeString(flags, withoutCompiler(Files.readString(flags)));
            }
            copy(home.resolve("LICENSE"), folder.resolve("LICENSE"));
            if (Files.exists(home.resolve(CORPUS))) {
                BundledJars.store(home.resolve(CORPUS), folder.resolve(CORPUS));
            }
            copyExamples(home.resolve("examples"), folder.resolve("examples"));
            TarGz.pack(folder, name, archive);
            return Files.size(archive);
        } finally {
            delete(folder);
        }
    }

    private void jlink(Path runtime, boolean compiles) throws IOException {
        Path jlink = javaHome.resolve("bin").resolve("jlink");
        if (!Files.isExecutable(jlink)) {
            throw new IOException(jlink + " is not there: penstock bundle needs a JDK, a runtime alone has no jlink");
        }
        Path unreached = runtime.resolveSibling("unreached.txt");
        Files.write(unreached, UnreachedClasses.patterns(javaHome));
        String modules = String.join(",", MODULES) + (compiles ? "," + COMPILER : "");
        Process process = new ProcessBuilder(
                        jlink.toString(),
                        "--add-modules",
                        modules,
                        "--strip-debug",
                        "--no-header-files",
                        "--no-man-pages",
                        // the archive compresses, and better what is not compressed yet
                        "--compress",
                        "zip-0",
                        "--exclude-resources=@" + unreached,
                        "--output",
                        runtime.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("jlink failed: " + output.strip());
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while jlink ran", e);
        }
        Files.delete(unreached);
    }

    /** The flags without what opens a module that is not there: java would warn at every start. */
    static String withoutCompiler(String flags) {
        return flags.replaceAll(" --add-(exports|opens) " + COMPILER + "/\\S+", "");
    }

    private static void trimLibraries(Path folder) throws IOException {
        try (var walk = Files.walk(folder)) {
            for (Path library :
                    walk.filter(path -> path.toString().endsWith(".so")).toList()) {
                byte[] bytes = Files.readAllBytes(library);
                byte[] trimmed = LoadedElf.trim(bytes);
                if (trimmed != bytes) {
                    Files.write(library, trimmed);
                }
            }
        }
    }

    /** Takes its own process over for java, so that signals reach it. */
    private static String script(List<String> jars) {
        StringBuilder classPath = new StringBuilder();
        for (String jar : jars) {
            classPath
                    .append(classPath.isEmpty() ? "" : ":")
                    .append("$home/lib/")
                    .append(jar);
        }
        return """
            #!/bin/sh
            # Starts Penstock with the Java runtime that lies beside it. PENSTOCK_JAVA_OPTS: more options for java.
            script="$0"
            while [ -L "$script" ]; do
                target="$(readlink "$script")"
                case "$target" in /*) script="$target" ;; *) script="$(dirname "$script")/$target" ;; esac
            done
            home="$(cd "$(dirname "$script")/.." && pwd -P)"
            flags="$(sed -n 's/^penstock\\.jvm\\.flags=//p' "$home/jvm.properties")"
            # shellcheck disable=SC2086
            exec "$home/runtime/bin/java" $flags -Dpenstock.home="$home" ${PENSTOCK_JAVA_OPTS:-} \\
                -cp "%s" io.penstock.engine.cli.Main "$@"
            """.formatted(classPath);
    }

    /** A file, if it is there. */
    private static void copy(Path from, Path to) throws IOException {
        if (Files.exists(from)) {
            Files.createDirectories(to.getParent());
            Files.copy(from, to);
        }
    }

    /** The examples themselves: runs that were started in their folder leave checkpoints there. */
    static void copyExamples(Path from, Path to) throws IOException {
        if (!Files.isDirectory(from)) {
            return;
        }
        try (var walk = Files.walk(from, 2)) {
            for (Path path : walk.filter(Files::isRegularFile).toList()) {
                if (path.toString().endsWith(".yaml") || path.toString().endsWith(".java")) {
                    copy(path, to.resolve(from.relativize(path).toString()));
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
