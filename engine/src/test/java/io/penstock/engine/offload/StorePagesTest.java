package io.penstock.engine.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What of a mapped store is in this process's memory. */
final class StorePagesTest {
    private static final long ELEMENTS = 4 << 20;
    private static final long PIECE = 1 << 20;
    private static final TensorTable TABLE = TensorTable.builder()
            .add("first", DType.F32, Shape.of(100))
            .add("large", DType.F32, Shape.of(ELEMENTS))
            .build();

    private final Path directory;

    StorePagesTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @BeforeEach
    void onLinux() {
        assumeTrue(Files.isReadable(Path.of("/proc/self/smaps")), "no /proc/self/smaps here");
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldHoldOnlyWhatIsAcquired(OffloadStoreKind kind) throws IOException {
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), TABLE)) {
            Tensor large = store.tensor("large");
            store.acquire(large);
            long whole = ResidentMemory.at(large.address()).residentBytes();
            assertTrue(whole >= large.bytes(), whole + " of " + large.bytes() + " bytes resident after acquire");
            for (long from = 0; from < ELEMENTS; from += PIECE) {
                Tensor piece = large.slice(from, PIECE);
                piece.set(17, from + 1.0);
                store.release(piece);
            }
            long left = ResidentMemory.at(large.address()).residentBytes();
            assertTrue(left <= 64 << 10, left + " bytes resident after release");
            Tensor second = large.slice(PIECE, PIECE);
            store.acquire(second);
            long piece = ResidentMemory.at(large.address()).residentBytes();
            assertTrue(
                    piece >= second.bytes() && piece < 2 * second.bytes(),
                    piece + " bytes resident with a piece of " + second.bytes());
            assertEquals(PIECE + 1.0, second.get(17));
        }
    }

    /** Where writing begins is an offset in the file: the map must lie in it as we reckon. */
    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldBeMappedFromTheStartOfItsFile(OffloadStoreKind kind) throws IOException {
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), TABLE)) {
            MappedPages pages = switch (store) {
                case MappedFileStore files -> files.pages();
                case ChronicleMapStore chronicle -> chronicle.pages();
                default -> throw new IllegalStateException(store.description());
            };
            ResidentMemory mapping = ResidentMemory.at(store.tensor("large").address());
            assertEquals(pages.address(), mapping.from() - mapping.fileOffset());
            assertTrue(mapping.path().startsWith(directory.toRealPath().toString()), mapping.path());
            assertTrue(mapping.path().endsWith("(deleted)"), mapping.path());
        }
    }

    /** The table's bytes and, of a map, at most two chunks an entry and a page table of chunks more. */
    @ParameterizedTest
    @EnumSource
    void shouldReserveLittleMoreThanItHolds(OffloadStoreKind kind) {
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), TABLE)) {
            long more = store.reservedBytes() - store.bytes();
            assertTrue(more >= 0 && more < 128 << 10, more + " bytes more than its tensors");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FILES", "CHRONICLE_MAP"})
    void shouldTakeItsSpaceWhenItIsOpened(OffloadStoreKind kind) throws Exception {
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), TABLE)) {
            // Nothing has been written to it yet.
            assertTrue(store.reservedBytes() >= TABLE.totalBytes());
            assertTrue(blockBytes() >= store.reservedBytes(), blockBytes() + " of " + store.reservedBytes());
        }
    }

    /** Of the file without a name that this process holds open in the directory. */
    private long blockBytes() throws Exception {
        String prefix = directory.toRealPath().toString();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                if (Files.isSymbolicLink(descriptor)
                        && Files.readSymbolicLink(descriptor).toString().startsWith(prefix)) {
                    String file = "/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor.getFileName();
                    Process stat = new ProcessBuilder("stat", "-L", "-c", "%b", file).start();
                    return 512
                            * Long.parseLong(new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                                    .strip());
                }
            }
        }
        throw new AssertionError("no open file in " + prefix);
    }
}
