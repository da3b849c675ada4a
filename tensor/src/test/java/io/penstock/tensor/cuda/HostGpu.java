package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceClock;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * A GPU played by the host: the kernels of {@link HostKernels}, and a column-major matrix product written from cuBLAS's own description. Shared memory beyond
 * what every card allows a block is refused.
 */
final class HostGpu implements Gpu {
    /** Opt-in limit of compute capability 8.6 and 8.9, the least of those we take. */
    private static final int MOST_SHARED_BYTES = 99 << 10;

    private final Arena arena = Arena.ofShared();
    private final SymbolLookup library;
    private final MemorySegment arguments = arena.allocate(1024, 16);
    /** struct Launch of host.h. */
    private final MemorySegment launch = arena.allocate(24, 8);

    private final boolean backward;

    /** {@code backward}: the threads of a block run last first. Other bits than forward mean a race. */
    @SuppressWarnings("restricted")
    HostGpu(Path compiler, boolean backward) {
        this.backward = backward;
        try {
            library = SymbolLookup.libraryLookup(HostKernels.library(compiler), arena);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("kernels did not compile for the host", e);
        }
    }

    @Override
    public String description() {
        return "played by the host";
    }

    @SuppressWarnings("restricted")
    @Override
    public Function function(String module, String name) {
        MethodHandle handle = Linker.nativeLinker()
                .downcallHandle(
                        library.find(name).orElseThrow(() -> new IllegalStateException("no kernel " + name)),
                        FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        return (gridX, gridY, gridZ, threads, sharedBytes, argumentBytes) -> {
            if (sharedBytes > MOST_SHARED_BYTES || gridX > Integer.MAX_VALUE || gridY > 65535 || gridZ > 65535) {
                throw new IllegalStateException(name + ": no card takes grid " + gridX + "," + gridY + "," + gridZ
                        + " with " + sharedBytes + " bytes of shared memory");
            }
            int[] values = {(int) gridX, gridY, gridZ, threads, sharedBytes, backward ? 1 : 0};
            for (int i = 0; i < values.length; i++) {
                launch.setAtIndex(ValueLayout.JAVA_INT, i, values[i]);
            }
            try {
                handle.invokeExact(launch, arguments, argumentBytes);
            } catch (Throwable e) {
                throw new IllegalStateException(name, e);
            }
        };
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public void zero(long address, long bytes) {
        at(address, bytes).fill((byte) 0);
    }

    @Override
    public void read(MemorySegment host, long address) {
        host.copyFrom(at(address, host.byteSize()));
    }

    @Override
    public void write(long address, MemorySegment host) {
        at(address, host.byteSize()).copyFrom(host);
    }

    @Override
    public DeviceMemory allocateHost(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public DeviceMemory allocateMapped(long bytes) {
        return new HostMemory(bytes);
    }

    @Override
    public long startRead(long host, long address, long bytes) {
        at(host, bytes).copyFrom(at(address, bytes));
        return 0;
    }

    @Override
    public long startWrite(long address, long host, long bytes) {
        at(address, bytes).copyFrom(at(host, bytes));
        return 0;
    }

    @Override
    public boolean isDone(long copy) {
        return true;
    }

    @Override
    public void await(long copy) {}

    @Override
    public void orderAfter(Gpu starter, long copy) {}

    @Override
    public long mark() {
        return 0;
    }

    @Override
    public long startCopy(long to, long from, long bytes, long mark, Gpu peer, long peerMark, boolean incoming) {
        at(to, bytes).copyFrom(at(from, bytes));
        return 0;
    }

    /** Copies are done when they return. */
    @Override
    public DeviceLane lane() {
        return new DeviceLane() {
            @Override
            public long startUpload(MemorySegment device, MemorySegment host) {
                return startWrite(device.address(), host.address(), host.byteSize());
            }

            @Override
            public long startDownload(MemorySegment host, MemorySegment device) {
                return startRead(host.address(), device.address(), device.byteSize());
            }

            @Override
            public void orderAfter(long copy) {}

            @Override
            public void close() {}
        };
    }

    /** Work is done when it returns. */
    @Override
    public DeviceClock clock(int stamps) {
        long[] moments = new long[stamps];
        return new DeviceClock() {
            @Override
            public void stamp(int number) {
                moments[number] = System.nanoTime();
            }

            @Override
            public long[] readNs() {
                return moments.clone();
            }

            @Override
            public void close() {}
        };
    }

    @SuppressWarnings("restricted")
    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** "cublasGemmEx": C = alpha op(A) op(B) + beta C, all column-major with leading dimensions lda, ldb, ldc. */
    @Override
    public void gemm(
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
            long workspaceBytes) {
        if (lda < (transposeA ? k : m) || ldb < (transposeB ? n : k) || ldc < m) {
            throw new IllegalStateException("CUBLAS_STATUS_INVALID_VALUE: m=" + m + " n=" + n + " k=" + k + " lda="
                    + lda + " ldb=" + ldb + " ldc=" + ldc);
        }
        float[] a_MK = matrix(operands, a, lda, transposeA ? k : m, transposeA ? m : k, transposeA);
        float[] b_NK = matrix(operands, b, ldb, transposeB ? n : k, transposeB ? k : n, !transposeB);
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < m; i++) {
                float sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += a_MK[i * k + l] * b_NK[j * k + l];
                }
                long at = i + (long) j * ldc;
                // "if beta is zero, C does not have to be a valid input"
                put(result, c, at, beta == 0 ? sum : sum + beta * get(result, c, at));
            }
        }
    }

    /** A column-major matrix as rows (as columns if {@code byColumns}) of one array. */
    private static float[] matrix(DType dtype, long address, int leading, int rows, int columns, boolean byColumns) {
        float[] values = new float[rows * columns];
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                values[byColumns ? j * rows + i : i * columns + j] = get(dtype, address, i + (long) j * leading);
            }
        }
        return values;
    }

    private static float get(DType dtype, long address, long index) {
        MemorySegment element = at(address + index * dtype.bytes(), dtype.bytes());
        if (dtype == DType.F32) {
            return element.get(ValueLayout.JAVA_FLOAT, 0);
        }
        short bits = element.get(ValueLayout.JAVA_SHORT, 0);
        return dtype == DType.BF16 ? DType.fromBf16(bits) : DType.fromF16(bits);
    }

    private static void put(DType dtype, long address, long index, float value) {
        MemorySegment element = at(address + index * dtype.bytes(), dtype.bytes());
        if (dtype == DType.F32) {
            element.set(ValueLayout.JAVA_FLOAT, 0, value);
        } else {
            element.set(ValueLayout.JAVA_SHORT, 0, dtype == DType.BF16 ? DType.toBf16(value) : DType.toF16(value));
        }
    }

    @Override
    public void synchronize() {}

    @Override
    public void close() {
        arena.close();
    }
}
