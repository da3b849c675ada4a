package io.penstock.engine.bundle;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** This process's class path as jars, without the parts of them that no run uses. */
final class BundledJars {
    /** Entries that stay out: C headers, native code of JCuda's other libraries, oneDNN's other bindings, vocabularies but GPT-2's, what Maven notes. */
    private static final Predicate<String> UNUSED = Pattern.compile("org/bytedeco/.*/include/.*"
                    + "|org/bytedeco/.*/libjni\\w+\\.so"
                    + "|lib/libJ(NvPTXCompiler|Nvrtc|CudaRuntime|Cublas)-.*"
                    + "|com/knuddels/jtokkit/(p50k|cl100k|o200k)_base\\.tiktoken"
                    + "|META-INF/maven/.*")
            .asMatchPredicate();

    private final BundleParts parts;

    BundledJars(BundleParts parts) {
        this.parts = parts;
    }

    /** Jars are stored without compression: the archive compresses all of them together, and better. */
    List<String> copy(String classPath, Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        for (String element : classPath.split(File.pathSeparator, -1)) {
            if (element.isEmpty()) {
                continue; // to the JVM the working folder, to us an accident
            }
            Path entry = Path.of(element);
            if (Files.isDirectory(entry)) {
                String name = "penstock-classes-" + names.size() + ".jar";
                packFolder(entry, folder.resolve(name));
                names.add(name);
            } else if (Files.isRegularFile(entry) && parts.has(entry)) {
                String name = entry.getFileName().toString();
                repack(entry, folder.resolve(name), this::isUsed);
                names.add(name);
            }
        }
        return names;
    }

    /** The whole jar without compression. */
    static void store(Path jar, Path copy) throws IOException {
        Files.createDirectories(copy.getParent());
        repack(jar, copy, name -> true);
    }

    private static void repack(Path jar, Path copy, Predicate<String> used) throws IOException {
        try (ZipFile in = new ZipFile(jar.toFile());
                ZipOutputStream out = open(copy)) {
            Enumeration<? extends ZipEntry> entries = in.entries();
            while (entries.hasMoreElements()) {
                ZipEntry entry = entries.nextElement();
                if (used.test(entry.getName())) {
                    add(out, entry.getName(), in.getInputStream(entry));
                }
            }
        }
    }

    private boolean isUsed(String name) {
        return !UNUSED.test(name) && (parts.gpu() || !name.endsWith(".ptx"));
    }

    private void packFolder(Path folder, Path jar) throws IOException {
        try (ZipOutputStream out = open(jar);
                var walk = Files.walk(folder)) {
            List<Path> files = walk.filter(Files::isRegularFile)
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
            for (Path file : files) {
                String name = folder.relativize(file).toString().replace(File.separatorChar, '/');
                if (isUsed(name)) {
                    add(out, name, Files.newInputStream(file));
                }
            }
        }
    }

    private static ZipOutputStream open(Path jar) throws IOException {
        OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream out = new ZipOutputStream(file);
        out.setLevel(Deflater.NO_COMPRESSION);
        return out;
    }

    private static void add(ZipOutputStream out, String name, InputStream content) throws IOException {
        try (content) {
            ZipEntry entry = new ZipEntry(name);
            entry.setTime(0);
            out.putNextEntry(entry);
            content.transferTo(out);
            out.closeEntry();
        }
    }
}
