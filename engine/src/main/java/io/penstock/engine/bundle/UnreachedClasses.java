package io.penstock.engine.bundle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What of a JDK's modules nothing here reaches: XSLT with its compiler, and messages in other languages than English. */
final class UnreachedClasses {
    private static final String MODULES = "/modules";
    private static final List<String> FOLDERS =
            List.of("/java.xml/com/sun/org/apache/xalan", "/java.xml/com/sun/org/apache/bcel");
    private static final List<String> LANGUAGES = List.of("**_de.class", "**_ja.class", "**_zh_CN.class");

    private UnreachedClasses() {}

    /** As jlink's {@code --exclude-resources} takes them. A module must keep each package that it declares: the smallest class of each stays. */
    static List<String> patterns(Path javaHome) throws IOException {
        List<String> patterns = new ArrayList<>(LANGUAGES);
        try (FileSystem jdk =
                FileSystems.newFileSystem(URI.create("jrt:/"), Map.of("java.home", javaHome.toString()))) {
            for (String folder : FOLDERS) {
                for (List<Path> classes : byPackage(jdk.getPath(MODULES + folder))) {
                    for (Path file : classes.subList(1, classes.size())) {
                        patterns.add(file.toString().substring(MODULES.length()));
                    }
                }
            }
        }
        return patterns;
    }

    /** The smallest first. */
    private static List<List<Path>> byPackage(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return List.copyOf(files.filter(Files::isRegularFile)
                    .sorted(Comparator.comparingLong(UnreachedClasses::size).thenComparing(Path::toString))
                    .collect(Collectors.groupingBy(Path::getParent, TreeMap::new, Collectors.toList()))
                    .values());
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
