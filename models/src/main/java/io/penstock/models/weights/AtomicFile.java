package io.penstock.models.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/** A file that appears whole or not at all: written beside its place, forced to disk, renamed, and the rename forced too. */
public final class AtomicFile implements AutoCloseable {
    private final Path path;
    private final Path temporary;
    private final FileChannel channel;
    private boolean closed;

    private AtomicFile(Path path, Path temporary, FileChannel channel) {
        this.path = path;
        this.temporary = temporary;
        this.channel = channel;
    }

    /** Creates the folder too. Throws {@link ModelFileException}. */
    public static AtomicFile create(Path path) {
        Path absolute = path.toAbsolutePath();
        Path temporary = absolute.resolveSibling(
                "." + absolute.getFileName() + "." + ProcessHandle.current().pid() + "-"
                        + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        try {
            Files.createDirectories(folder(absolute));
            FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            return new AtomicFile(absolute, temporary, channel);
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    /** Writes {@code text} as UTF-8. */
    public static void write(Path path, String text) {
        try (AtomicFile file = create(path)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                file.channel.write(bytes);
            }
            file.commit();
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    public Path path() {
        return path;
    }

    /** To write through; belongs to this file. */
    public FileChannel channel() {
        return channel;
    }

    /** Replaces what stood under the name. */
    public void commit() {
        try {
            channel.force(true);
            channel.close();
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel folder = FileChannel.open(folder(path), StandardOpenOption.READ)) {
                folder.force(true);
            }
            closed = true;
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    private static Path folder(Path absolute) {
        Path parent = absolute.getParent();
        return parent == null ? absolute : parent;
    }

    /** Deletes what was written, unless committed. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            try {
                channel.close();
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                throw new ModelFileException(path, e);
            }
        }
    }
}
