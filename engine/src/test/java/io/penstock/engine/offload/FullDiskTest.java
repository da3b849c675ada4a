package io.penstock.engine.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Too little room, too few rights, and what others left behind. */
final class FullDiskTest {
    private static final long PEBI = 1L << 50;

    private final Path directory;

    FullDiskTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private static TensorTable table(long bytes) {
        return TensorTable.builder().add("m:h", DType.F32, Shape.of(bytes / 4)).build();
    }

    private static long entries(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    private void shouldSayHowMuchIsMissing(OffloadStoreKind kind, Path place, long bytes) throws IOException {
        StoreException e = assertThrows(
                StoreException.class, () -> ShardStores.open(kind, new StoreSettings(place, 5), table(bytes)));
        String message = String.valueOf(e.getMessage());
        Matcher needed = Pattern.compile("rank 5 needs (\\d+) bytes").matcher(message);
        assertTrue(needed.find(), message);
        // A map says what its entries take: a page a tensor more.
        long more = Long.parseLong(needed.group(1)) - bytes;
        assertTrue(more >= 0 && more <= 16 << 10, message);
        assertTrue(message.contains(" in " + place + ", "), message);
        assertTrue(message.matches(".*, \\d+ \\(.*\\) are free there.*"), message);
        assertTrue(message.contains("cluster.offload_store.directory"), message);
        assertEquals(0, entries(place));
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldRefuseWhatNoDiskHolds(OffloadStoreKind kind) throws IOException {
        shouldSayHowMuchIsMissing(kind, directory, PEBI / 4096 * 4096);
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldRefuseWhatASmallFileSystemHasNotAndTakeWhatItHas(OffloadStoreKind kind) throws Exception {
        int status = run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", directory.toString());
        assumeTrue(status == 0, "not allowed to mount a tmpfs: mount ended with " + status);
        try {
            shouldSayHowMuchIsMissing(kind, directory, 17 << 20);
            try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), table(12 << 20))) {
                store.tensor("m:h").segment().fill((byte) 1);
                shouldSayHowMuchIsMissing(kind, directory, 12 << 20);
            }
            reserveMoreThanThereIs(17 << 20);
            // The first one's space is free again.
            ShardStores.open(kind, new StoreSettings(directory, 0), table(12 << 20))
                    .close();
        } finally {
            run("umount", "-l", directory.toString());
        }
    }

    /** As a rank meets it whose neighbour has taken the space since it was counted. */
    private void reserveMoreThanThereIs(int bytes) throws IOException {
        Path sparse = directory.resolve("sparse");
        try (FileChannel channel = FileChannel.open(
                sparse, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), bytes - 1);
            try (StoreFile file = StoreFile.of(sparse, directory, "a test")) {
                StoreException e = assertThrows(StoreException.class, () -> file.reserve(channel, bytes));
                assertTrue(String.valueOf(e.getMessage()).contains("error 28"), e.getMessage());
            }
        }
        Files.delete(sparse);
    }

    private static int run(String... command) throws Exception {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            return 127;
        }
    }

    @Test
    void shouldWriteZerosWhereAFileSystemCannotReserve() throws IOException {
        Path path = directory.resolve("file");
        try (FileChannel channel = FileChannel.open(
                        path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
                StoreFile withoutDescriptor = StoreFile.of(directory.resolve("none"), directory, "a test")) {
            withoutDescriptor.reserve(channel, (3 << 20) + 5);
            assertEquals((3 << 20) + 5, channel.size());
        }
    }

    @Test
    void shouldSayThatAFolderCannotBeWritten() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(directory), "root may write anywhere");
        StoreException e = assertThrows(
                StoreException.class,
                () -> ShardStores.open(OffloadStoreKind.FILES, new StoreSettings(directory, 0), table(4096)));
        assertTrue(String.valueOf(e.getMessage()).contains("cannot be kept in " + directory), e.getMessage());
    }

    @Test
    void shouldSayThatAFileIsNoFolder() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        StoreException e = assertThrows(
                StoreException.class,
                () -> ShardStores.open(OffloadStoreKind.FILES, new StoreSettings(file, 0), table(4096)));
        assertTrue(String.valueOf(e.getMessage()).contains("cannot be kept in " + file), e.getMessage());
    }

    @Test
    void shouldOpenFilesOnlyWhereNobodyElseCanEnter() throws IOException {
        try (StoreFolder folder = StoreFolder.create(directory)) {
            Path path = folder.file("x").getParent();
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
        }
        assertEquals(0, entries(directory));
    }

    @Test
    void shouldSweepWhatAProcessLeftThatWasKilledWhileItOpenedItsStore() throws IOException {
        Path abandoned = Files.createDirectory(directory.resolve("penstock-offload-1"));
        Files.createFile(abandoned.resolve("shards"));
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
        Path beingOpened = Files.createDirectory(directory.resolve("penstock-offload-2"));
        Path other = Files.createDirectory(directory.resolve("checkpoints"));
        Files.setLastModifiedTime(other, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
        ShardStores.open(OffloadStoreKind.FILES, new StoreSettings(directory, 0), table(4096))
                .close();
        assertTrue(Files.notExists(abandoned));
        assertTrue(Files.exists(beingOpened));
        assertTrue(Files.exists(other));
    }
}
