package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.HostAccess;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class HostAccessTest {
    /** More than a piece, not a multiple of it. */
    private static final long ELEMENTS = (1 << 20) + 207;

    private static CarvedMemory memory(Backend backend) {
        TensorTable table =
                TensorTable.builder().add("x", DType.F32, Shape.of(ELEMENTS)).build();
        return CarvedMemory.allocate("test", table, new MemoryLedger(backend::allocate, Long.MAX_VALUE));
    }

    private static float value(long index) {
        return index % 100_003;
    }

    @Test
    void shouldBringAllElementsToADeviceAndBack() {
        try (Backend backend = new CudaBackend(HostGpuBackendTest.gpu(false), 1 << 16, 256);
                CarvedMemory memory = memory(backend)) {
            HostAccess host = HostAccess.of(backend);
            host.write(memory.tensor("x"), (first, piece) -> {
                for (long i = 0; i < piece.elements(); i++) {
                    piece.set(i, value(first + i));
                }
            });
            AtomicLong seen = new AtomicLong();
            host.read(memory.tensor("x"), (first, piece) -> {
                assertEquals(seen.getAndAdd(piece.elements()), first);
                for (long i = 0; i < piece.elements(); i++) {
                    assertEquals(value(first + i), piece.get(i), "element " + (first + i));
                }
            });
            assertEquals(ELEMENTS, seen.get());
        }
    }

    @Test
    void shouldGiveTheTensorItselfWhereTheHostAddressesIt() {
        try (Backend backend = new ReferenceBackend();
                CarvedMemory memory = memory(backend)) {
            Tensor x = memory.tensor("x");
            HostAccess.of(backend).write(x, (first, piece) -> assertSame(x, piece));
            HostAccess.of(backend).read(x, (first, piece) -> assertSame(x, piece));
        }
    }
}
