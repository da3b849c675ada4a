package io.penstock.engine.offload;

import io.penstock.partitioner.render.Bytes;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.util.function.LongFunction;

/**
 * Tensors in host memory that the device's limit does not count. On a CPU device it is the same memory: a place to compare others with. A GPU reads and writes it in place, over the
 * bus, so that nothing need be brought in or sent out.
 */
final class HostMemoryStore implements ShardStore {
    private final CarvedMemory memory;
    private final long bytes;

    private HostMemoryStore(CarvedMemory memory, long bytes) {
        this.memory = memory;
        this.bytes = bytes;
    }

    /** Throws {@link StoreException} where {@code allocator} throws {@link OutOfMemoryError}; {@code instead}: what to use then. */
    static HostMemoryStore open(
            StoreSettings settings, TensorTable table, LongFunction<DeviceMemory> allocator, String instead) {
        try {
            MemoryLedger ledger = new MemoryLedger(allocator, Long.MAX_VALUE);
            return new HostMemoryStore(CarvedMemory.allocate(settings.owner(), table, ledger), table.totalBytes());
        } catch (OutOfMemoryError e) {
            throw new StoreException(
                    settings.owner() + " needs " + table.totalBytes() + " bytes ("
                            + Bytes.text((double) table.totalBytes())
                            + ") of host memory, which the system refuses: use " + instead,
                    e);
        }
    }

    @Override
    public String description() {
        return "host memory, " + Bytes.text((double) bytes);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long reservedBytes() {
        return bytes;
    }

    @Override
    public Tensor tensor(String name) {
        return memory.tensor(name);
    }

    @Override
    public void prefetch(Tensor tensor) {}

    @Override
    public void acquire(Tensor tensor) {}

    @Override
    public void release(Tensor tensor) {}

    @Override
    public void close() {
        memory.close();
    }
}
