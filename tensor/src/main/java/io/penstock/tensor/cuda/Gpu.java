package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceClock;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import java.lang.foreign.MemorySegment;

/**
 * One device and its queue of work, as the backend needs it. Work is done in the order it was given; only {@link #read} and {@link #synchronize} wait. Started copies run beside the
 * queue: each after what was given before it, and before what is given after {@link #orderAfter}.
 */
interface Gpu extends AutoCloseable {
    /** A kernel of a module (a .cu file) by its name. */
    interface Function {
        /** Launches blocks of {@code threads} with the struct of {@code argumentBytes} bytes that lies in {@link Gpu#arguments()}. */
        void launch(long gridX, int gridY, int gridZ, int threads, int sharedBytes, int argumentBytes);
    }

    /** Name, memory and libraries, for logs. */
    String description();

    Function function(String module, String name);

    /** Host memory that {@link Function#launch} takes arguments from; free again when it returns. */
    MemorySegment arguments();

    DeviceMemory allocate(long bytes);

    void zero(long address, long bytes);

    /** Device to host; waits for all work before it. */
    void read(MemorySegment host, long address);

    /** Host to device; the host memory is free again on return. */
    void write(long address, MemorySegment host);

    /** Zeroed host memory that kernels address; its close waits for all work. */
    DeviceMemory allocateMapped(long bytes);

    /** Zeroed host memory for {@link #startRead} and {@link #startWrite}; its close waits for copies. */
    DeviceMemory allocateHost(long bytes);

    /** Device to such host memory; returns the copy's number. */
    long startRead(long host, long address, long bytes);

    /** Such host memory to the device; returns the copy's number. */
    long startWrite(long address, long host, long bytes);

    boolean isDone(long copy);

    void await(long copy);

    /** Orders the queue after a copy that this GPU started, or another. */
    void orderAfter(Gpu starter, long copy);

    /** Remembers what was given until now; the mark's number. */
    long mark();

    /** Copies between this GPU and another, or within one that both are, after a mark of each; returns the copy's number. {@code incoming}: {@code to} is this one's. */
    long startCopy(long to, long from, long bytes, long mark, Gpu peer, long peerMark, boolean incoming);

    /** Copies to and from such host memory, or mapped, beside all others. */
    DeviceLane lane();

    /** Moments of the queue. */
    DeviceClock clock(int stamps);

    /**
     * cublasGemmEx: column-major c_MN = op(a)_MK op(b)_KN + beta c, sums in F32; leading dimensions in elements; a and b of one type.
     *
     * @param workspace memory that the library may use for it, {@code workspaceBytes} long
     */
    void gemm(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            DType operands,
            long a,
            int lda,
            long b,
            int ldb,
            float beta,
            DType result,
            long c,
            int ldc,
            long workspace,
            long workspaceBytes);

    void synchronize();

    @Override
    void close();
}
