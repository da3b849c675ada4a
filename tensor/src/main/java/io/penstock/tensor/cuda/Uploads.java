package io.penstock.tensor.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Host bytes into the stream of work, through pinned slots in turn: the host goes on when slots are filled, and waits only for those that are still to be read. Slots are small, so that the token ids
 * of many micro-batches wait in them at once; what is longer takes several that lie side by side.
 */
final class Uploads implements AutoCloseable {
    private static final int SLOTS = 64;
    private static final long SLOT_BYTES = 64 << 10;
    private static final int MOST_AT_ONCE = 16;

    private final CUstream work;
    private final PinnedMemory slots;
    private final CUevent[] taken = new CUevent[SLOTS];
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();
    private int next;

    /** The context must be the thread's. */
    Uploads(CUstream work) {
        this.work = work;
        this.slots = new PinnedMemory(SLOTS * SLOT_BYTES, 0, () -> JCudaDriver.cuStreamSynchronize(work));
        for (int i = 0; i < SLOTS; i++) {
            taken[i] = new CUevent();
            JCudaDriver.cuEventCreate(taken[i], CUevent_flags.CU_EVENT_DISABLE_TIMING);
        }
    }

    void write(long address, MemorySegment from) {
        long most = MOST_AT_ONCE * SLOT_BYTES;
        for (long at = 0; at < from.byteSize(); at += most) {
            writePiece(address + at, from, at, Math.min(most, from.byteSize() - at));
        }
    }

    private void writePiece(long address, MemorySegment from, long at, long bytes) {
        int count = (int) Math.ceilDiv(bytes, SLOT_BYTES);
        if (next + count > SLOTS) {
            next = 0;
        }
        int end = next + count;
        for (int slot = next; slot < end; slot++) {
            // of a slot that nobody has taken yet the driver says at once that it is free
            JCudaDriver.cuEventSynchronize(taken[slot]);
        }
        MemorySegment.copy(from, at, slots.segment(), next * SLOT_BYTES, bytes);
        JCudaDriver.cuMemcpyHtoDAsync(
                device.at(address), host.at(slots.segment().address() + next * SLOT_BYTES), bytes, work);
        for (int slot = next; slot < end; slot++) {
            JCudaDriver.cuEventRecord(taken[slot], work);
        }
        next = end;
    }

    @Override
    public void close() {
        slots.close();
        for (CUevent event : taken) {
            JCudaDriver.cuEventDestroy(event);
        }
    }
}
