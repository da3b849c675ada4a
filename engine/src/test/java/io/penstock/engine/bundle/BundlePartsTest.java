package io.penstock.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What stays out of a bundle: the jars of this JVM's own class path, by what a user leaves out. */
final class BundlePartsTest {
    private static Set<String> jars(BundleParts parts) {
        Set<String> names = new TreeSet<>();
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(entry -> entry.endsWith(".jar"))
                .map(Path::of)
                .filter(parts::has)
                .forEach(jar -> names.add(jar.getFileName().toString().replaceAll("-\\d.*", "")));
        return names;
    }

    @Test
    void shouldLeaveOutWhatIsNotWantedAndNothingElse() {
        Set<String> all = jars(BundleParts.ALL);
        Set<String> gone = new TreeSet<>(all);
        gone.removeAll(jars(new BundleParts(false, true)));
        assertEquals(Set.of("jcublas", "jcublas-natives", "jcuda", "jcuda-natives"), gone);
        gone = new TreeSet<>(all);
        gone.removeAll(jars(new BundleParts(true, false)));
        assertTrue(
                gone.containsAll(List.of("chronicle-map", "chronicle-bytes", "compiler", "javapoet", "posix")),
                gone::toString);
        assertTrue(
                gone.stream()
                        .allMatch(name -> name.startsWith("chronicle-")
                                || Set.of("compiler", "javapoet", "posix").contains(name)),
                gone::toString);
    }

    @Test
    void shouldOpenNoModuleThatIsNotThere() throws IOException {
        String flags = Files.readString(
                Path.of(System.getProperty("penstock.home", "..")).resolve("jvm.properties"));
        assertTrue(flags.contains("jdk.compiler/"), flags);
        String without = Bundle.withoutCompiler(flags);
        assertFalse(without.contains("jdk.compiler"), without);
        assertTrue(without.contains("--add-exports java.base/jdk.internal.ref=ALL-UNNAMED"), without);
    }
}
