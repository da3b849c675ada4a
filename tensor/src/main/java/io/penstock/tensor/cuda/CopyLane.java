package io.penstock.tensor.cuda;

import io.penstock.tensor.DeviceLane;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A stream of copies in both directions beside that of the work. Copy {@code n} ends with event {@code n mod RING}; one that is recorded again stands for a later copy of the same
 * stream, so that a wait for an old number is longer and never wrong, and nobody need ask whether an event is free.
 */
final class CopyLane implements DeviceLane {
    /** More than anybody asks for before he waits for the first of them. */
    private static final int RING = 16;

    private final CUstream work;
    private final CUstream stream = new CUstream();
    private final CUevent asked;
    private final CUevent[] ends = new CUevent[RING];
    private final Runnable bind;
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();
    private long next;
    private boolean closed;

    /** {@code bind} makes the context the thread's, which it is now. */
    CopyLane(CUstream work, Runnable bind) {
        this.work = work;
        this.bind = bind;
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
        asked = event();
        for (int i = 0; i < RING; i++) {
            ends[i] = event();
        }
    }

    private static CUevent event() {
        CUevent event = new CUevent();
        JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING);
        return event;
    }

    @Override
    public long startUpload(MemorySegment to, MemorySegment from) {
        begin(to.byteSize(), from.byteSize());
        JCudaDriver.cuMemcpyHtoDAsync(device.at(to.address()), host.at(from.address()), from.byteSize(), stream);
        return end();
    }

    @Override
    public long startDownload(MemorySegment to, MemorySegment from) {
        begin(to.byteSize(), from.byteSize());
        JCudaDriver.cuMemcpyDtoHAsync(host.at(to.address()), device.at(from.address()), from.byteSize(), stream);
        return end();
    }

    /** What is copied, or overwritten, may be in use by the work that was given before. */
    private void begin(long room, long bytes) {
        Objects.checkFromIndexSize(0, bytes, room);
        bind.run();
        JCudaDriver.cuEventRecord(asked, work);
        JCudaDriver.cuStreamWaitEvent(stream, asked, 0);
    }

    private long end() {
        JCudaDriver.cuEventRecord(ends[(int) (next % RING)], stream);
        return next++;
    }

    @Override
    public void orderAfter(long copy) {
        bind.run();
        JCudaDriver.cuStreamWaitEvent(work, ends[(int) (copy % RING)], 0);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        bind.run();
        JCudaDriver.cuStreamSynchronize(stream);
        JCudaDriver.cuEventDestroy(asked);
        for (CUevent event : ends) {
            JCudaDriver.cuEventDestroy(event);
        }
        JCudaDriver.cuStreamDestroy(stream);
    }
}
