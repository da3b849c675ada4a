package io.penstock.tensor;

import java.util.HashMap;
import java.util.Map;

/** One allocation, carved by a {@link TensorTable}: what every owner of tensors holds. Zeroed (and so touched) at the start; closed with its owner. */
public final class CarvedMemory implements TensorSource, AutoCloseable {
    private final String owner;
    private final MemoryLedger ledger;
    private final DeviceMemory memory;
    private final Map<String, Tensor> tensors = new HashMap<>();
    private boolean closed;

    private CarvedMemory(String owner, MemoryLedger ledger, DeviceMemory memory) {
        this.owner = owner;
        this.ledger = ledger;
        this.memory = memory;
    }

    /** Allocates {@code table.totalBytes()} under {@code owner}'s name in the ledger, which refuses what passes the rank's limit. */
    public static CarvedMemory allocate(String owner, TensorTable table, MemoryLedger ledger) {
        DeviceMemory memory = ledger.allocate(owner, table.totalBytes());
        CarvedMemory carved = new CarvedMemory(owner, ledger, memory);
        for (TensorTable.Entry entry : table.entries()) {
            carved.tensors.put(
                    entry.name(),
                    Tensor.strided(
                            memory.segment().asSlice(entry.offset(), entry.bytes()),
                            entry.dtype(),
                            entry.shape(),
                            entry.rowStride()));
        }
        return carved;
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException(owner + " has no tensor '" + name + "'");
        }
        return tensor;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            ledger.release(owner, memory);
        }
    }
}
