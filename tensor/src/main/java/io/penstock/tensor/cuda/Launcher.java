package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Launches kernels: writes their argument structs (64-bit members first, then 32-bit ones, as device.cuh asks) and owns what kernels share, one allocation:
 *
 * <pre>
 *   | error word, 256 | scratch of kernels | workspace of cuBLAS |
 * </pre>
 */
final class Launcher implements AutoCloseable {
    /** Elements that a thread of an elementwise kernel takes. */
    static final int EIGHT = 8;

    static final int THREADS = 256;
    /** So much that cuBLAS finds its workspace on the boundary of 256 bytes that it asks for. */
    static final long HEADER_BYTES = 256;

    private static final long NO_ERROR = -1;

    private final Gpu gpu;
    private final MemorySegment arguments;
    private final DeviceMemory memory;
    private final long scratchBytes;
    private final long matmulBytes;
    private final MemorySegment word = MemorySegment.ofArray(new long[1]);
    private long offset;

    Launcher(Gpu gpu, long scratchBytes, long matmulBytes) {
        this.gpu = gpu;
        this.scratchBytes = scratchBytes;
        this.matmulBytes = matmulBytes;
        arguments = gpu.arguments();
        memory = gpu.allocate(HEADER_BYTES + scratchBytes + matmulBytes);
        clearError();
    }

    Gpu gpu() {
        return gpu;
    }

    long bytes() {
        return HEADER_BYTES + scratchBytes + matmulBytes;
    }

    /** Kernels write the first index out of range here: row in the upper half, index in the lower. */
    long errorWord() {
        return memory.segment().address();
    }

    long scratch() {
        return memory.segment().address() + HEADER_BYTES;
    }

    long scratchBytes() {
        return scratchBytes;
    }

    /** The address of the scratch, which must hold {@code bytes}. */
    long scratch(String operation, long bytes) {
        if (bytes > scratchBytes) {
            throw new IllegalStateException(operation + " needs " + bytes + " bytes of the device's scratch of "
                    + scratchBytes + "; smaller micro-batches need less");
        }
        return scratch();
    }

    long matmulWorkspace() {
        return scratch() + scratchBytes;
    }

    long matmulBytes() {
        return matmulBytes;
    }

    // ---- arguments ----

    Launcher begin() {
        offset = 0;
        return this;
    }

    Launcher put(@Nullable Tensor tensor) {
        return put(tensor == null ? 0 : tensor.address());
    }

    Launcher put(long value) {
        arguments.set(ValueLayout.JAVA_LONG, offset, value);
        offset += Long.BYTES;
        return this;
    }

    Launcher put(int value) {
        arguments.set(ValueLayout.JAVA_INT, offset, value);
        offset += Integer.BYTES;
        return this;
    }

    Launcher put(float value) {
        arguments.set(ValueLayout.JAVA_FLOAT, offset, value);
        offset += Float.BYTES;
        return this;
    }

    void launch(Gpu.Function function, long gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        if (gridX > 0 && gridY > 0 && gridZ > 0) {
            function.launch(gridX, gridY, gridZ, threads, sharedBytes, Math.toIntExact(offset));
        }
    }

    /** One thread for {@code items}, no shared memory. */
    void launchOver(Gpu.Function function, long items) {
        launch(function, divideUp(items, THREADS), 1, 1, THREADS, 0);
    }

    /** One thread for eight of {@code elements}. */
    void launchOverEights(Gpu.Function function, long elements) {
        launchOver(function, divideUp(elements, EIGHT));
    }

    /** One thread for eight elements of a row. */
    void launchOverRows(Gpu.Function function, long rows, long columns) {
        launchOver(function, rows * divideUp(columns, EIGHT));
    }

    static long divideUp(long x, long by) {
        return (x + by - 1) / by;
    }

    // ---- results ----

    /** Waits for all work, and reports an index out of range that a kernel met. */
    void check() {
        gpu.read(word, errorWord());
        long error = word.get(ValueLayout.JAVA_LONG, 0);
        if (error != NO_ERROR) {
            clearError();
            throw new IllegalStateException(
                    "token or target of row " + (error >>> 32) + " is " + (int) error + ", beyond the vocabulary");
        }
    }

    private void clearError() {
        word.set(ValueLayout.JAVA_LONG, 0, NO_ERROR);
        gpu.write(errorWord(), word);
    }

    /** The kernels of a name, one for each compute type. */
    record Typed(Gpu.Function f32, Gpu.Function bf16, Gpu.Function f16) {
        static Typed of(Gpu gpu, String module, String name) {
            return new Typed(
                    gpu.function(module, name + "_f32"),
                    gpu.function(module, name + "_bf16"),
                    gpu.function(module, name + "_f16"));
        }

        Gpu.Function of(DType dtype) {
            return switch (dtype) {
                case F32 -> f32;
                case BF16 -> bf16;
                case F16 -> f16;
                case F64, I32 -> throw refusal(dtype);
            };
        }
    }

    static IllegalStateException refusal(DType dtype) {
        return new IllegalStateException("the cuda backend computes F32, BF16 and F16, not " + dtype);
    }

    @Override
    public void close() {
        memory.close();
    }
}
