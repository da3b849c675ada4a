package io.penstock.tensor.cuda;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import jcuda.CudaException;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * Two streams beside that of the work, one for each direction. The event of a copy's end is taken again only when its last copy is done, so that an older number says done. That of
 * a mark, taken again, remembers more than was asked for, which is only later.
 *
 * <p>Copies between two GPUs are started by either, of its own thread; of the other's are used here its context and its events, which never change.
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

    private final CUcontext context;
    private final PeerAccess access;
    private final CUstream work;
    private final CUstream reads = new CUstream();
    private final CUstream writes = new CUstream();
    private final EventRing asked = new EventRing(1);
    /** Closed under its lock, for the threads of others: a rank that fails leaves before them. */
    private final EventRing ends = new EventRing(RING);

    private final EventRing marks = new EventRing(RING);
    private final DeviceAddress device = new DeviceAddress();
    private final DeviceAddress source = new DeviceAddress();
    private final DeviceAddress host = new DeviceAddress();

    /** The context must be the thread's. */
    CopyStreams(CUdevice ofContext, CUcontext context, CUstream work) {
        this.context = context;
        this.access = new PeerAccess(ofContext);
        this.work = work;
        JCudaDriver.cuStreamCreate(reads, CUstream_flags.CU_STREAM_NON_BLOCKING);
        JCudaDriver.cuStreamCreate(writes, CUstream_flags.CU_STREAM_NON_BLOCKING);
    }

    long read(long hostAddress, long address, long bytes) {
        begin(reads);
        JCudaDriver.cuMemcpyDtoHAsync(host.at(hostAddress), device.at(address), bytes, reads);
        return ends.recordWhenFree(reads);
    }

    long write(long address, long hostAddress, long bytes) {
        begin(writes);
        JCudaDriver.cuMemcpyHtoDAsync(device.at(address), host.at(hostAddress), bytes, writes);
        return ends.recordWhenFree(writes);
    }

    /** What is copied, or overwritten, may be in use by the work that was given before. */
    private void begin(CUstream stream) {
        asked.order(stream, asked.record(work));
    }

    boolean isDone(long copy) {
        if (ends.isOld(copy)) {
            return true;
        }
        int result;
        try {
            result = (int) QUERY.invokeExact(ends.of(copy));
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
        if (!ends.isOld(copy)) {
            JCudaDriver.cuEventSynchronize(ends.of(copy));
        }
    }

    /** The starter's event may have been taken again: its copy is done then, and the wait is for a later one. */
    void orderAfter(CopyStreams starter, long copy) {
        synchronized (starter.ends) {
            if (!starter.ends.isClosed()) {
                starter.ends.order(work, copy);
            }
        }
    }

    long mark() {
        return marks.record(work);
    }

    /** {@code incoming}: {@code to} is here, and {@code from} the peer's. */
    long between(long to, long from, long bytes, long mark, CopyStreams peer, long peerMark, boolean incoming) {
        CUstream stream = incoming ? writes : reads;
        marks.order(stream, mark);
        synchronized (peer.ends) {
            if (peer.ends.isClosed()) {
                throw new IllegalStateException("a copy between GPUs one of which is closed");
            }
            peer.marks.order(stream, peerMark);
        }
        if (context.equals(peer.context)) {
            JCudaDriver.cuMemcpyDtoDAsync(device.at(to), source.at(from), bytes, stream);
        } else {
            access.to(peer.access, peer.context);
            JCudaDriver.cuMemcpyPeerAsync(
                    device.at(to),
                    incoming ? context : peer.context,
                    source.at(from),
                    incoming ? peer.context : context,
                    bytes,
                    stream);
        }
        return ends.recordWhenFree(stream);
    }

    void synchronize() {
        JCudaDriver.cuStreamSynchronize(reads);
        JCudaDriver.cuStreamSynchronize(writes);
    }

    @Override
    public void close() {
        synchronize();
        synchronized (ends) {
            ends.close();
        }
        marks.close();
        asked.close();
        JCudaDriver.cuStreamDestroy(reads);
        JCudaDriver.cuStreamDestroy(writes);
    }
}
