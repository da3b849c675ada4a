package io.penstock.tensor.cuda;

import io.penstock.tensor.DeviceLane;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A stream of copies in both directions beside that of the work. An event that is recorded again stands for a later copy of the same stream, so that a wait for an old number is
 * longer and never wrong, and nobody need ask whether an event is free.
 */
final class CopyLane implements DeviceLane {
    /** More than anybody asks for before he waits for the first of them. */
    private static final int RING = 16;

    private final CUstream work;
    private final CUstream stream = new CUstream();
    private final EventRing asked = new EventRing(1);
    private final EventRing ends = new EventRing(RING);
    private final Runnable bind;
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();

    /** {@code bind} makes the context the thread's, which it is now. */
    CopyLane(CUstream work, Runnable bind) {
        this.work = work;
        this.bind = bind;
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
    }

    @Override
    public long startUpload(MemorySegment to, MemorySegment from) {
        begin(to.byteSize(), from.byteSize());
        JCudaDriver.cuMemcpyHtoDAsync(device.at(to.address()), host.at(from.address()), from.byteSize(), stream);
        return ends.record(stream);
    }

    @Override
    public long startDownload(MemorySegment to, MemorySegment from) {
        begin(to.byteSize(), from.byteSize());
        JCudaDriver.cuMemcpyDtoHAsync(host.at(to.address()), device.at(from.address()), from.byteSize(), stream);
        return ends.record(stream);
    }

    /** What is copied, or overwritten, may be in use by the work that was given before. */
    private void begin(long room, long bytes) {
        Objects.checkFromIndexSize(0, bytes, room);
        bind.run();
        asked.order(stream, asked.record(work));
    }

    @Override
    public void orderAfter(long copy) {
        bind.run();
        ends.order(work, copy);
    }

    @Override
    public void close() {
        if (ends.isClosed()) {
            return;
        }
        bind.run();
        JCudaDriver.cuStreamSynchronize(stream);
        asked.close();
        ends.close();
        JCudaDriver.cuStreamDestroy(stream);
    }
}
