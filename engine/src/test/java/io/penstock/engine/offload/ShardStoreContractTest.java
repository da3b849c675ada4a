package io.penstock.engine.offload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.cpu.CpuBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every kind of store keeps to. */
final class ShardStoreContractTest {
    private static final long[] SIZES = {1, 7, 8, 13, 64, 207, 1024, 100_003, 3_000_001};
    private static final List<String> STATES = List.of("master:", "m:", "v:", "gradient:");

    private final Path directory;

    ShardStoreContractTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private ShardStore open(OffloadStoreKind kind, TensorTable table) {
        return ShardStores.open(kind, new StoreSettings(directory, 3), table);
    }

    private static TensorTable table() {
        TensorTable.Builder table = TensorTable.builder();
        for (long size : SIZES) {
            for (String state : STATES) {
                table.add(state + size, DType.F32, Shape.of(size));
            }
            table.add("working:" + size, DType.BF16, Shape.of(size));
        }
        return table.addStrided("strided", DType.F32, Shape.of(5, 7), 16)
                .add("double", DType.F64, Shape.of(3, 3))
                .build();
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldEveryTensorOfItsTableZeroedAndAligned(OffloadStoreKind kind) {
        TensorTable table = table();
        try (ShardStore store = open(kind, table)) {
            assertEquals(table.totalBytes(), store.bytes());
            assertTrue(store.reservedBytes() >= store.bytes());
            for (TensorTable.Entry entry : table.entries()) {
                Tensor tensor = store.tensor(entry.name());
                assertEquals(entry.dtype(), tensor.dtype());
                assertEquals(entry.shape(), tensor.shape());
                assertEquals(entry.rowStride(), tensor.rowStride());
                assertEquals(0, tensor.address() % TensorTable.ALIGNMENT, entry.name());
                for (long i = 0; i < tensor.elements(); i++) {
                    assertEquals(0, tensor.get(i));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepBytesWhereTheyAreThroughReleaseAndAcquire(OffloadStoreKind kind) {
        TensorTable table = table();
        try (ShardStore store = open(kind, table)) {
            for (TensorTable.Entry entry : table.entries()) {
                Tensor tensor = store.tensor(entry.name());
                for (long i = 0; i < tensor.elements(); i++) {
                    tensor.set(i, value(entry, i));
                }
            }
            for (TensorTable.Entry entry : table.entries()) {
                store.release(store.tensor(entry.name()));
            }
            for (TensorTable.Entry entry : table.entries()) {
                Tensor tensor = store.tensor(entry.name());
                store.prefetch(tensor);
                store.acquire(tensor);
                for (long i = 0; i < tensor.elements(); i++) {
                    assertEquals(value(entry, i), tensor.get(i), entry.name());
                }
            }
        }
    }

    /** Exact in BF16 too, and another for a neighbour. */
    private static double value(TensorTable.Entry entry, long i) {
        return (entry.offset() / 64 + i) % 127;
    }

    @ParameterizedTest
    @EnumSource
    void shouldUpdateInPlaceToTheBitsOfMemory(OffloadStoreKind kind) {
        TensorTable table = table();
        try (Backend backend = new CpuBackend(2);
                CarvedMemory memory =
                        CarvedMemory.allocate("memory", table, new MemoryLedger(HostMemory::new, Long.MAX_VALUE));
                ShardStore store = open(kind, table)) {
            for (int step = 1; step <= 3; step++) {
                for (long size : SIZES) {
                    update(backend, memory, size, step);
                    store.acquire(store.tensor("master:" + size));
                    update(backend, store, size, step);
                    store.release(store.tensor("master:" + size));
                }
            }
            for (TensorTable.Entry entry : table.entries()) {
                Tensor expected = memory.tensor(entry.name());
                assertEquals(
                        -1,
                        expected.segment().mismatch(store.tensor(entry.name()).segment()),
                        entry.name());
            }
            assertTrue(store.tensor("master:13").get(12) != 0);
        }
    }

    private static void update(Backend backend, TensorSource states, long size, int step) {
        Tensor gradient = states.tensor("gradient:" + size);
        SplittableRandom random = new SplittableRandom(step * 1000L + size);
        for (long i = 0; i < size; i++) {
            gradient.set(i, random.nextDouble() - 0.5);
        }
        backend.adamW(
                states.tensor("master:" + size),
                states.tensor("m:" + size),
                states.tensor("v:" + size),
                gradient,
                states.tensor("working:" + size),
                1e-3f,
                0.9f,
                0.95f,
                1e-8f,
                0.1f,
                1 - (float) Math.pow(0.9, step),
                1 - (float) Math.pow(0.95, step),
                0.7f);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveNoNameInTheFileSystemWhileOpenOrAfter(OffloadStoreKind kind) throws IOException {
        try (ShardStore store = open(kind, table())) {
            store.tensor("double").set(0, 1);
            assertEquals(0, entries());
        }
        assertEquals(0, entries());
    }

    private long entries() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.count();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseNamesThatAreNotInItsTable(OffloadStoreKind kind) {
        try (ShardStore store = open(kind, table())) {
            assertThrows(IllegalStateException.class, () -> store.tensor("m:12"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeClosedTwiceWithoutHarm(OffloadStoreKind kind) {
        ShardStore store = open(kind, table());
        Tensor tensor = store.tensor("double");
        store.close();
        store.close();
        // A view of memory that is gone says so; it does not read what lies there now.
        assertThrows(IllegalStateException.class, () -> tensor.get(0));
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldNothing(OffloadStoreKind kind) {
        try (ShardStore store = open(kind, TensorTable.builder().build())) {
            assertEquals(0, store.bytes());
        }
    }
}
