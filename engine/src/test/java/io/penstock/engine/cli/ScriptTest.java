package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The {@code penstock} script, with folders that look like JDKs, a Maven that only notes how it was called, and a house of empty modules. */
final class ScriptTest {
    private static final Path HOME =
            Path.of(System.getProperty("penstock.home", "..")).toAbsolutePath();

    private Path folder = Path.of("");
    private final Map<String, String> environment = new HashMap<>();

    private record Outcome(int code, String out, String err) {}

    @BeforeEach
    void makeHouse(@TempDir Path folder) throws IOException {
        this.folder = folder.toRealPath();
        Path house = Files.createDirectories(this.folder.resolve("my house"));
        Files.copy(HOME.resolve("penstock"), house.resolve("penstock"));
        house.resolve("penstock").toFile().setExecutable(true);
        Files.writeString(house.resolve("jvm.properties"), "# home of flags\npenstock.jvm.flags=-Xflag --of jvm\n");
        Files.createDirectories(house.resolve("engine/src/main"));
        Files.createDirectories(house.resolve("jmh/src/main"));
        Files.writeString(house.resolve("pom.xml"), "<project/>");
        Files.writeString(house.resolve("engine/src/main/A.java"), "class A {}");
        executable(
                this.folder.resolve("bin/mvn"),
                "echo \"mvn[$JAVA_HOME] $*\" >>'" + this.folder + "/calls'; if [ -e '" + this.folder
                        + "/broken' ]; then echo A.java does not compile; exit 1; fi");
        environment.put("PATH", this.folder + "/bin:/usr/bin:/bin");
        environment.put("HOME", this.folder.toString());
        environment.put("PENSTOCK_JVM_FOLDERS", this.folder + "/jvms");
    }

    private static void executable(Path file, String script) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        file.toFile().setExecutable(true);
    }

    private Path jdk(String path, String version) throws IOException {
        Path jdk = folder.resolve(path);
        executable(jdk.resolve("bin/java"), "printf '%s\\n' \"$@\"; exit 7");
        executable(jdk.resolve("bin/javac"), "");
        Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"Any\"\nJAVA_VERSION=\"" + version + "\"\n");
        return jdk;
    }

    private Outcome run(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder("bash", folder.resolve("my house/penstock").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().clear();
        builder.environment().putAll(environment);
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process process = builder.directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("the script hangs: " + List.of(arguments));
        }
        return new Outcome(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    private String calls() throws IOException {
        Path calls = folder.resolve("calls");
        return Files.exists(calls) ? Files.readString(calls) : "";
    }

    @Test
    void shouldPreferTheJdkItIsToldThenJavaHomeThenPathThenTheUsualFolders() throws Exception {
        Path usual = jdk("jvms/b25", "25.0.4");
        jdk("jvms/a17", "17.0.9");
        assertEquals(usual + "\n", run("java-home").out());
        Path onPath = jdk("jdk-on-path", "25.0.3");
        Files.createSymbolicLink(folder.resolve("bin/java"), onPath.resolve("bin/java"));
        assertEquals(onPath + "\n", run("java-home").out());
        Path javaHome = jdk("a java home", "25.1.0");
        environment.put("JAVA_HOME", javaHome.toString());
        assertEquals(javaHome + "\n", run("java-home").out());
        Path told = jdk("told", "25.0.3");
        environment.put("PENSTOCK_JAVA_HOME", told.toString());
        assertEquals(told + "\n", run("java-home").out());
    }

    @Test
    void shouldPassOverJdksThatDoNotFit() throws Exception {
        environment.put("JAVA_HOME", jdk("java-home", "25.0.2").toString());
        jdk("jvms/a", "26");
        jdk("jvms/b", "25");
        Files.delete(jdk("jvms/c", "25.0.3").resolve("bin/javac"));
        Path fits = jdk("jvms/d", "25.0.3");
        assertEquals(fits + "\n", run("java-home").out());
    }

    @Test
    void shouldSayWhatToInstallWhenNoJdkFits() throws Exception {
        jdk("jvms/a", "17.0.9");
        Outcome outcome = run("train", "c.yaml");
        assertEquals(2, outcome.code());
        assertTrue(
                outcome.err().startsWith("penstock: no JDK 25.0.3 or newer 25 found; found only:\n  JDK 17"),
                outcome.err());
        assertTrue(outcome.err().contains("PENSTOCK_JAVA_HOME"), outcome.err());
        environment.put("PENSTOCK_JAVA_HOME", folder.resolve("jvms/a").toString());
        outcome = run("train", "c.yaml");
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains("is JDK 17.0.9, needed is"), outcome.err());
        assertEquals("", calls());
    }

    @Test
    void shouldBuildOnFirstUseAndWhenSourcesChangedAndOnlyThen() throws Exception {
        Path jdk = jdk("jvms/a", "25.0.3");
        environment.put("PENSTOCK_MAVEN_ARGS", "-o -Dmaven.repo.local=/some/where");
        environment.put("MAVEN_ARGS", "--fail-fast");
        Outcome first = run("version");
        assertEquals("building Penstock (first use, a few minutes)...\n", first.err());
        assertEquals(
                "mvn[" + jdk + "] -B --fail-fast -o -Dmaven.repo.local=/some/where -q -DskipTests"
                        + " -Dspotless.check.skip=true -pl engine -am package\n",
                calls());
        assertEquals("", run("version").err());
        Path source = folder.resolve("my house/engine/src/main/A.java");
        Files.setLastModifiedTime(
                source, java.nio.file.attribute.FileTime.fromMillis(System.currentTimeMillis() + 5000));
        assertEquals("building Penstock (sources changed)...\n", run("version").err());
        assertEquals(2, calls().lines().count());
    }

    @Test
    void shouldRunJavaWithTheFlagsOfTheirOnlyHome() throws Exception {
        jdk("jvms/a", "25.0.3");
        environment.put("PENSTOCK_JAVA_OPTS", "-Xmx1g");
        Outcome outcome = run("train", "a b.yaml", "--set", "run.name=x y");
        String house = folder.resolve("my house").toString();
        assertEquals(
                List.of(
                        "-Xflag",
                        "--of",
                        "jvm",
                        "-Dpenstock.home=" + house,
                        "-Xmx1g",
                        "-cp",
                        house + "/engine/target/classes:" + house + "/engine/target/lib/*",
                        "io.penstock.engine.cli.Main",
                        "train",
                        "a b.yaml",
                        "--set",
                        "run.name=x y"),
                outcome.out().lines().toList());
        assertEquals(7, outcome.code());
    }

    @Test
    void shouldShowTheEndOfTheLogOfABuildThatFailsAndBuildAgain() throws Exception {
        jdk("jvms/a", "25.0.3");
        Files.createFile(folder.resolve("broken"));
        Outcome outcome = run("version");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("A.java does not compile\npenstock: the build failed"), outcome.err());
        Files.delete(folder.resolve("broken"));
        assertEquals(7, run("version").code());
    }

    @Test
    void shouldRunTheWholeSuiteAndBenchmarks() throws Exception {
        Path jdk = jdk("jvms/a", "25.0.3");
        assertEquals(0, run("test", "-pl", "engine").code());
        assertEquals("mvn[" + jdk + "] -B verify -pl engine\n", calls());
        Path classPath = folder.resolve("my house/target/jmh-classpath");
        Files.createDirectories(classPath.getParent());
        Files.writeString(classPath, "/x.jar");
        List<String> java = run("bench", "Matrix").out().lines().toList();
        assertEquals(List.of("io.penstock.jmh.Main", "Matrix"), java.subList(java.size() - 2, java.size()));
        assertTrue(java.get(java.size() - 3).endsWith("/jmh/target/classes:/x.jar"), java::toString);
    }
}
