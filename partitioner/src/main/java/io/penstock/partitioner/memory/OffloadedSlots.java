package io.penstock.partitioner.memory;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.util.List;

/**
 * The activation slots of a rank that offloads them. Its device has two regions that micro-batches take in turn: while one is computed on, what the last one saved goes out of the
 * other, and the next one comes into it.
 *
 * @param slots what one micro-batch saves on each chunk, by names without a slot's prefix; no chunk where nothing is offloaded
 * @param held how many micro-batches of each chunk are in flight at most
 */
public record OffloadedSlots(List<TensorTable> slots, List<Integer> held) {
    /** Regions on the device. */
    public static final int RESIDENT = 2;

    public static final OffloadedSlots NONE = new OffloadedSlots(List.of(), List.of());

    public OffloadedSlots {
        slots = List.copyOf(slots);
        held = List.copyOf(held);
    }

    public boolean isEmpty() {
        return slots.isEmpty();
    }

    /** Of one of the regions, which any chunk's micro-batch fits in. */
    public long regionBytes() {
        return slots.stream().mapToLong(TensorTable::totalBytes).max().orElse(0);
    }

    /** Bytes of all micro-batches in flight. */
    private long heldBytes() {
        long bytes = 0;
        for (int chunk = 0; chunk < slots.size(); chunk++) {
            bytes = Math.addExact(
                    bytes, Math.multiplyExact(held.get(chunk), slots.get(chunk).totalBytes()));
        }
        return bytes;
    }

    /** Whether the device holds less with them than with a slot a micro-batch. {@code besideBytes}: of buffers that only they need. */
    boolean isWorthIt(long besideBytes) {
        return heldBytes() > RESIDENT * regionBytes() + besideBytes;
    }

    /** A place for each micro-batch in flight, as bytes. */
    public TensorTable storeTable() {
        TensorTable.Builder table = TensorTable.builder();
        for (int chunk = 0; chunk < slots.size(); chunk++) {
            for (int place = 0; place < held.get(chunk); place++) {
                table.add(TensorNames.offloadedSlot(chunk, place), DType.F32, flat(bytes(chunk)));
            }
        }
        return table.build();
    }

    public long bytes(int chunk) {
        return slots.get(chunk).totalBytes();
    }

    /** As many elements of four bytes. */
    static Shape flat(long bytes) {
        return Shape.of(bytes / DType.F32.bytes());
    }
}
