package io.penstock.engine.offload;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;

/**
 * A folder that only this user can enter, for the moment in which a store's file has a name. {@link #delete} deletes it with the file, whose space stays with the store until its
 * mapping and descriptors are gone. A process that was killed in that moment leaves it behind: the next store in the same place sweeps it.
 */
final class StoreFolder implements AutoCloseable {
    private static final String PREFIX = "penstock-offload-";

    /** Far above the second in which a file has a name. */
    private static final Duration ABANDONED = Duration.ofMinutes(10);

    private final Path folder;
    private boolean deleted;

    private StoreFolder(Path folder) {
        this.folder = folder;
    }

    /** In {@code directory}, which is made if it is not there. */
    static StoreFolder create(Path directory) throws IOException {
        Files.createDirectories(directory);
        sweep(directory, Instant.now().minus(ABANDONED));
        return new StoreFolder(Files.createTempDirectory(
                directory, PREFIX, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))));
    }

    private static void sweep(Path directory, Instant before) throws IOException {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path folder : folders) {
                sweepOne(folder, before);
            }
        }
    }

    private static void sweepOne(Path folder, Instant before) throws IOException {
        try {
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                    && Files.getLastModifiedTime(folder, LinkOption.NOFOLLOW_LINKS)
                            .toInstant()
                            .isBefore(before)
                    && Files.isWritable(folder)) {
                delete(folder);
            }
        } catch (NoSuchFileException e) {
            // Another rank opens its store at the same time: its folder was there a moment ago.
        }
    }

    private static void delete(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /** Its file has no name from here on. */
    void delete() throws IOException {
        if (!deleted) {
            deleted = true;
            delete(folder);
        }
    }

    @Override
    public void close() throws IOException {
        delete();
    }
}
