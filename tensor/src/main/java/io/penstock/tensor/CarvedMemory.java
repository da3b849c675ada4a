package io.penstock.tensor;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongFunction;

/** One allocation, carved by a {@link TensorTable}: what every owner of tensors holds. Zeroed (and so touched) at the start; closed with its owner. */
public final class CarvedMemory implements TensorSource, AutoCloseable {
    private final String owner;
    private final MemoryLedger ledger;
    private final DeviceMemory memory;
    private final Map<String, Tensor> tensors;
    private boolean closed;

    private CarvedMemory(String owner, MemoryLedger ledger, DeviceMemory memory, TensorTable table) {
        this.owner = owner;
        this.ledger = ledger;
        this.memory = memory;
        this.tensors = carve(memory.segment(), table);
    }

    /** Allocates {@code table.totalBytes()} under {@code owner}'s name in the ledger, which refuses what passes the rank's limit. */
    public static CarvedMemory allocate(String owner, TensorTable table, MemoryLedger ledger) {
        return new CarvedMemory(owner, ledger, ledger.allocate(owner, table.totalBytes()), table);
    }

    /** The same from another allocator than the ledger's. */
    public static CarvedMemory allocate(
            String owner, TensorTable table, MemoryLedger ledger, LongFunction<DeviceMemory> allocator) {
        return new CarvedMemory(owner, ledger, ledger.allocate(owner, table.totalBytes(), allocator), table);
    }

    /** The tensors of {@code table} over the start of memory that somebody else owns, such as a region that several layers use in turn. */
    public static TensorSource over(Tensor region, TensorTable table) {
        Map<String, Tensor> tensors = carve(region.segment(), table);
        return name -> find(tensors, name, "the region");
    }

    private static Map<String, Tensor> carve(MemorySegment segment, TensorTable table) {
        Map<String, Tensor> tensors = new HashMap<>();
        for (TensorTable.Entry entry : table.entries()) {
            MemorySegment part = segment.asSlice(entry.offset(), entry.bytes());
            tensors.put(entry.name(), Tensor.strided(part, entry.dtype(), entry.shape(), entry.rowStride()));
        }
        return tensors;
    }

    private static Tensor find(Map<String, Tensor> tensors, String name, String owner) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException(owner + " has no tensor '" + name + "'");
        }
        return tensor;
    }

    @Override
    public Tensor tensor(String name) {
        return find(tensors, name, owner);
    }

    /** All of it, in the order of the table. */
    public MemorySegment segment() {
        return memory.segment();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            ledger.release(owner, memory);
        }
    }
}
