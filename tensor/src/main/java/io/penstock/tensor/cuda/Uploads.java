package io.penstock.tensor.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** Host bytes into the stream of work, through a few pinned slots in turn: the host goes on when a slot is filled, and waits only for a slot that is still being read. */
final class Uploads implements AutoCloseable {
    private static final int SLOTS = 4;
    private static final long SLOT_BYTES = 1 << 20;

    private final CUstream work;
    private final PinnedMemory slots;
    private final CUevent[] taken = new CUevent[SLOTS];
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();
    private long next;

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
        for (long at = 0; at < from.byteSize(); at += SLOT_BYTES) {
            long bytes = Math.min(SLOT_BYTES, from.byteSize() - at);
            int slot = (int) (next++ % SLOTS);
            if (next > SLOTS) {
                JCudaDriver.cuEventSynchronize(taken[slot]);
            }
            MemorySegment.copy(from, at, slots.segment(), slot * SLOT_BYTES, bytes);
            JCudaDriver.cuMemcpyHtoDAsync(
                    device.at(address + at), host.at(slots.segment().address() + slot * SLOT_BYTES), bytes, work);
            JCudaDriver.cuEventRecord(taken[slot], work);
        }
    }

    @Override
    public void close() {
        slots.close();
        for (CUevent event : taken) {
            JCudaDriver.cuEventDestroy(event);
        }
    }
}
