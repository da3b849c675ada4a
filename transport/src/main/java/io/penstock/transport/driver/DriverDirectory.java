package io.penstock.transport.driver;

import io.penstock.transport.TransportException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A private directory (mode 0700) that says in its name whose it is:
 *
 * <pre>
 *   penstock-PID-START-N-JOB/      PID and start time of the process, a number within it
 *     owner.lock                   locked while that process lives, also seen from other process namespaces
 *     aeron/                       the media driver's files
 * </pre>
 */
final class DriverDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DriverDirectory.class);
    private static final Pattern NAME = Pattern.compile("penstock-(\\d+)-(\\d+)-\\d+-.*");
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;

    private DriverDirectory(Path path, FileChannel channel, FileLock lock) {
        this.path = path;
        this.channel = channel;
        this.lock = lock;
    }

    static DriverDirectory create(Path parent, String job) throws IOException {
        ProcessHandle self = ProcessHandle.current();
        String name = "penstock-" + self.pid() + "-" + startMillis(self) + "-" + NUMBER.getAndIncrement() + "-"
                + job.replaceAll("[^A-Za-z0-9._-]", "_");
        Path path = parent.resolve(name);
        Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        FileChannel channel =
                FileChannel.open(path.resolve("owner.lock"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        return new DriverDirectory(path, channel, channel.lock());
    }

    private static long startMillis(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    Path aeron() {
        return path.resolve("aeron");
    }

    @Override
    public void close() {
        try {
            delete(path);
            lock.close();
            channel.close();
        } catch (IOException e) {
            throw new TransportException("cannot delete " + path, e);
        }
    }

    /** Deletes the directories of processes that are gone; leaves alone what is not certainly dead, or not ours to delete. */
    static void sweep(Path parent) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, "penstock-*")) {
            for (Path entry : entries) {
                Matcher name = NAME.matcher(entry.getFileName().toString());
                if (name.matches()
                        && isAbandoned(entry, Long.parseLong(name.group(1)), Long.parseLong(name.group(2)))) {
                    LOG.info("deleting {}, left behind by process {}", entry, name.group(1));
                    delete(entry);
                }
            }
        }
    }

    /** Whether a process has a directory, dead or alive. */
    static boolean isThere(Path parent, long pid) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, "penstock-" + pid + "-*")) {
            return entries.iterator().hasNext();
        }
    }

    /** Gone by number and start time, and its lock free: the same number may be alive in another process namespace. */
    private static boolean isAbandoned(Path directory, long pid, long startMillis) {
        ProcessHandle process = ProcessHandle.of(pid).orElse(null);
        if (process != null && process.isAlive() && startMillis(process) == startMillis) {
            return false;
        }
        Path file = directory.resolve("owner.lock");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (NoSuchFileException e) {
            // Its process died between making the directory and the lock.
            return Files.isWritable(directory);
        } catch (IOException e) {
            LOG.debug("not swept: {}", directory, e);
            return false;
        }
    }

    private static void delete(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) throws IOException {
                Files.deleteIfExists(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
