package io.penstock.models.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** The texts of a {@link DataRequest}, by their names inside the source, in the order of those names; on every machine the same. */
sealed interface TextSource extends AutoCloseable {
    /** {@code stamp}: changes when the text is likely to have. */
    record Text(String name, long bytes, long stamp) {}

    List<Text> texts();

    byte[] read(Text text) throws IOException;

    @Override
    void close() throws IOException;

    static TextSource open(Path source, List<String> extensions) throws IOException {
        if (!Files.exists(source)) {
            throw new DataException(source, "no such file or folder");
        }
        if (Files.isDirectory(source)) {
            return Folder.list(source, extensions);
        }
        String name = source.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".jar") || name.endsWith(".zip")) {
            return Archive.list(source, extensions);
        }
        return new Single(source, List.of(text(source, source.getFileName().toString())));
    }

    private static Text text(Path file, String name) throws IOException {
        return new Text(name, Files.size(file), Files.getLastModifiedTime(file).toMillis());
    }

    private static boolean wanted(String name, List<String> extensions) {
        return extensions.isEmpty() || extensions.stream().anyMatch(name::endsWith);
    }

    record Single(Path file, List<Text> texts) implements TextSource {
        @Override
        public byte[] read(Text text) throws IOException {
            return Files.readAllBytes(file);
        }

        @Override
        public void close() {}
    }

    record Folder(Path folder, List<Text> texts) implements TextSource {
        static Folder list(Path folder, List<String> extensions) throws IOException {
            List<Path> files;
            try (Stream<Path> walk = Files.walk(folder)) {
                files = walk.filter(Files::isRegularFile).toList();
            }
            List<Text> texts = new ArrayList<>();
            for (Path file : files) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                if (wanted(name, extensions)) {
                    texts.add(text(file, name));
                }
            }
            texts.sort(Comparator.comparing(Text::name));
            return new Folder(folder, List.copyOf(texts));
        }

        @Override
        public byte[] read(Text text) throws IOException {
            return Files.readAllBytes(folder.resolve(text.name()));
        }

        @Override
        public void close() {}
    }

    record Archive(ZipFile zip, List<Text> texts) implements TextSource {
        static Archive list(Path file, List<String> extensions) throws IOException {
            ZipFile zip = new ZipFile(file.toFile());
            List<Text> texts = zip.stream()
                    .filter(entry -> !entry.isDirectory() && wanted(entry.getName(), extensions))
                    .map(entry -> new Text(entry.getName(), entry.getSize(), entry.getCrc()))
                    .sorted(Comparator.comparing(Text::name))
                    .toList();
            return new Archive(zip, texts);
        }

        @Override
        public byte[] read(Text text) throws IOException {
            ZipEntry entry = zip.getEntry(text.name());
            try (InputStream in = zip.getInputStream(entry)) {
                return in.readAllBytes();
            }
        }

        @Override
        public void close() throws IOException {
            zip.close();
        }
    }
}
