package io.penstock.engine.offload;

import io.penstock.partitioner.render.Bytes;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.HostMemory;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;

/** Tensors in host memory that the device's limit does not count. On a CPU device it is the same memory: a place to compare others with. */
final class HostMemoryStore implements ShardStore {
    private final CarvedMemory memory;
    private final long bytes;

    private HostMemoryStore(CarvedMemory memory, long bytes) {
        this.memory = memory;
        this.bytes = bytes;
    }

    /** Throws {@link StoreException} where the machine has less memory free. */
    static HostMemoryStore open(StoreSettings settings, TensorTable table) {
        try {
            MemoryLedger ledger = new MemoryLedger(HostMemory::new, Long.MAX_VALUE);
            return new HostMemoryStore(CarvedMemory.allocate(settings.owner(), table, ledger), table.totalBytes());
        } catch (OutOfMemoryError e) {
            throw new StoreException(
                    settings.owner() + " needs " + table.totalBytes() + " bytes ("
                            + Bytes.text((double) table.totalBytes())
                            + ") of host memory, which the system refuses: use cluster.offload_store.kind: files, or more ranks",
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
