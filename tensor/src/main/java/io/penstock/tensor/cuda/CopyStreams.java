package io.penstock.tensor.cuda;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jcuda.CudaException;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * Two streams beside that of the work, one for each direction. Copy {@code n} ends with event {@code n mod RING}; an event is taken again only when its last copy is done, so that
 * an older number says done.
 */
final class CopyStreams implements AutoCloseable {
    private static final int RING = 256;

    private static final MethodHandle QUERY;

    static {
        try {
            // JCuda's plain call throws for "not yet": an answer, and an exception for each look
            QUERY = MethodHandles.privateLookupIn(JCudaDriver.class, MethodHandles.lookup())
                    .findStatic(
                            JCudaDriver.class, "cuEventQueryNative", MethodType.methodType(int.class, CUevent.class));
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CUstream work;
    private final CUstream reads = new CUstream();
    private final CUstream writes = new CUstream();
    private final CUevent asked = new CUevent();
    private final CUevent[] ends = new CUevent[RING];
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();
    private long next;

    /** The context must be the thread's. */
    CopyStreams(CUstream work) {
        this.work = work;
        JCudaDriver.cuStreamCreate(reads, CUstream_flags.CU_STREAM_NON_BLOCKING);
        JCudaDriver.cuStreamCreate(writes, CUstream_flags.CU_STREAM_NON_BLOCKING);
        JCudaDriver.cuEventCreate(asked, CUevent_flags.CU_EVENT_DISABLE_TIMING);
        for (int i = 0; i < RING; i++) {
            ends[i] = new CUevent();
            JCudaDriver.cuEventCreate(ends[i], CUevent_flags.CU_EVENT_DISABLE_TIMING);
        }
    }

    long read(long hostAddress, long address, long bytes) {
        begin(reads);
        JCudaDriver.cuMemcpyDtoHAsync(host.at(hostAddress), device.at(address), bytes, reads);
        return end(reads);
    }

    long write(long address, long hostAddress, long bytes) {
        begin(writes);
        JCudaDriver.cuMemcpyHtoDAsync(device.at(address), host.at(hostAddress), bytes, writes);
        return end(writes);
    }

    /** What is copied, or overwritten, may be in use by the work that was given before. */
    private void begin(CUstream stream) {
        JCudaDriver.cuEventRecord(asked, work);
        JCudaDriver.cuStreamWaitEvent(stream, asked, 0);
    }

    private long end(CUstream stream) {
        CUevent event = ends[(int) (next % RING)];
        if (next >= RING) {
            JCudaDriver.cuEventSynchronize(event);
        }
        JCudaDriver.cuEventRecord(event, stream);
        return next++;
    }

    private boolean isOld(long copy) {
        return copy < next - RING;
    }

    boolean isDone(long copy) {
        if (isOld(copy)) {
            return true;
        }
        int result;
        try {
            result = (int) QUERY.invokeExact(ends[(int) (copy % RING)]);
        } catch (Throwable e) {
            throw new IllegalStateException("cuEventQuery", e);
        }
        if (result == CUresult.CUDA_ERROR_NOT_READY) {
            return false;
        }
        if (result != CUresult.CUDA_SUCCESS) {
            throw new CudaException(CUresult.stringFor(result));
        }
        return true;
    }

    void await(long copy) {
        if (!isOld(copy)) {
            JCudaDriver.cuEventSynchronize(ends[(int) (copy % RING)]);
        }
    }

    void orderAfter(long copy) {
        if (!isOld(copy)) {
            JCudaDriver.cuStreamWaitEvent(work, ends[(int) (copy % RING)], 0);
        }
    }

    void synchronize() {
        JCudaDriver.cuStreamSynchronize(reads);
        JCudaDriver.cuStreamSynchronize(writes);
    }

    @Override
    public void close() {
        synchronize();
        for (CUevent event : ends) {
            JCudaDriver.cuEventDestroy(event);
        }
        JCudaDriver.cuEventDestroy(asked);
        JCudaDriver.cuStreamDestroy(reads);
        JCudaDriver.cuStreamDestroy(writes);
    }
}
