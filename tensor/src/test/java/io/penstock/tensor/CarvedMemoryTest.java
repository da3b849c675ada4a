package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The owner of tensors and the ledger that it asks. */
final class CarvedMemoryTest {
    private static final TensorTable TABLE = TensorTable.builder()
            .add("h.0.w", DType.F32, Shape.of(3, 5))
            .addStrided("h.0.x", DType.BF16, Shape.of(4, 5), 8)
            .add("h.1.w", DType.F32, Shape.of(16))
            .build();

    @Test
    void shouldCarveDisjointAlignedZeroedTensors() {
        MemoryLedger ledger = new MemoryLedger(HostMemory::new, Long.MAX_VALUE);
        try (CarvedMemory memory = CarvedMemory.allocate("ParameterStore", TABLE, ledger)) {
            List<TensorTable.Entry> entries = TABLE.entries();
            for (int i = 0; i < entries.size(); i++) {
                Tensor tensor = memory.tensor(entries.get(i).name());
                assertEquals(0, tensor.address() % TensorTable.ALIGNMENT);
                assertEquals(0, TestTensors.maxAbs(tensor));
                assertEquals(entries.get(i).rowStride(), tensor.rowStride());
            }
            for (int i = 0; i < entries.size(); i++) {
                fill(memory.tensor(entries.get(i).name()), i + 1);
            }
            for (int i = 0; i < entries.size(); i++) {
                for (double value :
                        TestTensors.values(memory.tensor(entries.get(i).name()))) {
                    assertEquals(i + 1, value);
                }
            }
        }
    }

    @Test
    void shouldNameTensorsUnderAPrefix() {
        MemoryLedger ledger = new MemoryLedger(HostMemory::new, Long.MAX_VALUE);
        try (CarvedMemory memory = CarvedMemory.allocate("ParameterStore", TABLE, ledger)) {
            assertEquals(
                    memory.tensor("h.1.w").address(),
                    memory.under("h.").under("1.").tensor("w").address());
            IllegalStateException error = assertThrows(
                    IllegalStateException.class, () -> memory.under("h.1.").tensor("x"));
            assertEquals("ParameterStore has no tensor 'h.1.x'", error.getMessage());
        }
    }

    @Test
    void shouldKeepTheLedgerWhatTheTableSays() {
        MemoryLedger ledger = new MemoryLedger(HostMemory::new, Long.MAX_VALUE);
        CarvedMemory first = CarvedMemory.allocate("ParameterStore", TABLE, ledger);
        CarvedMemory second = CarvedMemory.allocate("ActivationPool", TABLE, ledger);
        CarvedMemory third = CarvedMemory.allocate("ParameterStore", TABLE, ledger);
        long bytes = TABLE.totalBytes();
        assertEquals(3 * bytes, ledger.totalBytes());
        assertEquals(Map.of("ParameterStore", 2 * bytes, "ActivationPool", bytes), ledger.bytesByOwner());
        first.close();
        first.close();
        second.close();
        assertEquals(Map.of("ParameterStore", bytes), ledger.bytesByOwner());
        third.close();
        assertEquals(0, ledger.totalBytes());
        assertEquals(Map.of(), ledger.bytesByOwner());
        assertThrows(IllegalStateException.class, () -> third.tensor("h.1.w").get(0), "memory is gone");
    }

    @Test
    void shouldRefuseWhatPassesTheLimitAndSayWhoHoldsIt() {
        long bytes = TABLE.totalBytes();
        MemoryLedger ledger = new MemoryLedger(HostMemory::new, 2 * bytes - 1);
        try (CarvedMemory memory = CarvedMemory.allocate("ParameterStore", TABLE, ledger)) {
            OutOfDeviceMemoryException error = assertThrows(
                    OutOfDeviceMemoryException.class, () -> CarvedMemory.allocate("ActivationPool", TABLE, ledger));
            String message = String.valueOf(error.getMessage());
            for (String part : List.of(
                    "ActivationPool needs " + bytes,
                    (bytes - 1) + " of the limit of " + (2 * bytes - 1),
                    "{ParameterStore=" + bytes + "}")) {
                assertTrue(message.contains(part), message);
            }
            assertEquals(bytes, ledger.totalBytes());
            assertEquals(0, memory.tensor("h.1.w").get(0));
        }
        CarvedMemory.allocate("ActivationPool", TABLE, ledger).close();
    }

    private static void fill(Tensor x, double value) {
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, value);
        }
    }
}
