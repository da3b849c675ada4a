package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceClock;
import io.penstock.tensor.DeviceFullException;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/** A GPU through JCuda's driver API: its primary context, a stream for work and two for copies, pinned buffers, the kernels' modules as they are asked for. */
final class JCudaGpu implements Gpu {
    private static final int ARGUMENT_BYTES = 1024;
    /** A block may have so much without asking. */
    private static final int USUAL_SHARED_BYTES = 48 << 10;

    private static final long STAGING_BYTES = 4 << 20;

    private static final int MAPPED =
            JCudaDriver.CU_MEMHOSTREGISTER_PORTABLE | JCudaDriver.CU_MEMHOSTREGISTER_DEVICEMAP;

    private final CUdevice device;
    private final CUcontext context;
    private final CUstream stream = new CUstream();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment arguments = arena.allocate(ARGUMENT_BYTES, 16);
    /** What cuLaunchKernel takes: the address of an array of one address, that of the struct. */
    private final Pointer parameters;

    private final Pointer pinned = new Pointer();
    private final MemorySegment staging;
    private final Uploads uploads;
    private final CopyStreams copies;
    private final CublasProducts products;
    private final DeviceAddress source = new DeviceAddress();
    private final Map<String, CUmodule> modules = new HashMap<>();
    private final String description;
    private @Nullable Thread bound;
    private boolean closed;

    private JCudaGpu(CUdevice device, CUcontext context, String description) {
        this.device = device;
        this.context = context;
        MemorySegment array = arena.allocate(ValueLayout.ADDRESS);
        array.set(ValueLayout.ADDRESS, 0, arguments);
        parameters = Pointer.to(array.asByteBuffer().order(ByteOrder.nativeOrder()));
        bind();
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING);
        JCudaDriver.cuMemHostAlloc(pinned, STAGING_BYTES, 0);
        staging = MemorySegment.ofBuffer(pinned.getByteBuffer(0, STAGING_BYTES));
        uploads = new Uploads(stream);
        copies = new CopyStreams(device, context, stream);
        products = new CublasProducts(stream);
        this.description = description + ", " + products.description();
    }

    static JCudaGpu open(int index) {
        return open(index, LibraryFinder.ofThisMachine());
    }

    static JCudaGpu open(int index, LibraryFinder finder) {
        CudaProbe.Report report = new CudaProbe(finder).run();
        report.problem().ifPresent(problem -> {
            throw new CudaUnavailableException(problem);
        });
        if (index < 0 || index >= report.devices().size()) {
            throw new CudaUnavailableException(
                    "device " + index + " of " + report.devices().size() + ": " + report.devices()
                            + "; CUDA_VISIBLE_DEVICES says which devices a process sees");
        }
        CudaLibraries.load(finder);
        JCudaDriver.setExceptionsEnabled(true);
        JCudaDriver.cuInit(0);
        CUdevice device = new CUdevice();
        JCudaDriver.cuDeviceGet(device, index);
        CUcontext context = new CUcontext();
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
        return new JCudaGpu(device, context, report.devices().get(index).toString());
    }

    /** The driver keeps the current context by thread; ranks of one process have one backend and thread each. */
    private void bind() {
        if (bound != Thread.currentThread()) {
            JCudaDriver.cuCtxSetCurrent(context);
            bound = Thread.currentThread();
        }
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public Function function(String module, String name) {
        bind();
        CUfunction function = new CUfunction();
        JCudaDriver.cuModuleGetFunction(function, modules.computeIfAbsent(module, JCudaGpu::load), name);
        return new Kernel(function);
    }

    private static CUmodule load(String name) {
        String resource = name + ".ptx";
        try (InputStream in = JCudaGpu.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the class path has no " + resource);
            }
            byte[] text = in.readAllBytes();
            CUmodule module = new CUmodule();
            JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(text, text.length + 1)); // ends with a zero
            return module;
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + resource, e);
        }
    }

    private final class Kernel implements Function {
        private final CUfunction function;
        private int allowedSharedBytes = USUAL_SHARED_BYTES;

        Kernel(CUfunction function) {
            this.function = function;
        }

        @Override
        public void launch(long gridX, int gridY, int gridZ, int threads, int sharedBytes, int argumentBytes) {
            bind();
            if (sharedBytes > allowedSharedBytes) {
                JCudaDriver.cuFuncSetAttribute(
                        function, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes);
                allowedSharedBytes = sharedBytes;
            }
            // the driver copies the arguments before it returns
            JCudaDriver.cuLaunchKernel(
                    function,
                    Math.toIntExact(gridX),
                    gridY,
                    gridZ,
                    threads,
                    1,
                    1,
                    sharedBytes,
                    stream,
                    parameters,
                    null);
        }
    }

    @Override
    public MemorySegment arguments() {
        return arguments;
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        bind();
        DeviceAddress memory = new DeviceAddress();
        try {
            JCudaDriver.cuMemAlloc(memory, Math.max(bytes, TensorTable.ALIGNMENT));
        } catch (CudaException e) {
            long[] free = new long[1];
            long[] total = new long[1];
            JCudaDriver.cuMemGetInfo(free, total);
            if (free[0] < bytes || String.valueOf(e.getMessage()).contains("OUT_OF_MEMORY")) {
                throw new DeviceFullException(bytes, free[0], total[0]);
            }
            throw e;
        }
        if (bytes > 0) {
            zero(memory.address(), bytes);
        }
        return new Block(memory, bytes);
    }

    private final class Block implements DeviceMemory {
        private final DeviceAddress memory;
        private final MemorySegment segment;
        private boolean freed;

        @SuppressWarnings("restricted")
        Block(DeviceAddress memory, long bytes) {
            this.memory = memory;
            segment = MemorySegment.ofAddress(memory.address()).reinterpret(bytes);
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public void close() {
            if (!freed) {
                freed = true;
                bind();
                JCudaDriver.cuMemFree(memory);
            }
        }
    }

    @Override
    public void zero(long address, long bytes) {
        bind();
        JCudaDriver.cuMemsetD8Async(source.at(address), (byte) 0, bytes, stream);
    }

    @Override
    public void read(MemorySegment host, long address) {
        bind();
        for (long from = 0; from < host.byteSize(); from += STAGING_BYTES) {
            long bytes = Math.min(STAGING_BYTES, host.byteSize() - from);
            JCudaDriver.cuMemcpyDtoHAsync(pinned, source.at(address + from), bytes, stream);
            JCudaDriver.cuStreamSynchronize(stream);
            MemorySegment.copy(staging, 0, host, from, bytes);
        }
    }

    @Override
    public void write(long address, MemorySegment host) {
        bind();
        uploads.write(address, host);
    }

    @Override
    public DeviceMemory allocateHost(long bytes) {
        bind();
        return new PinnedMemory(bytes, 0, () -> {
            bind();
            copies.synchronize();
        });
    }

    @Override
    public DeviceMemory allocateMapped(long bytes) {
        bind();
        int[] can = new int[1];
        JCudaDriver.cuDeviceGetAttribute(
                can, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM, device);
        if (can[0] == 0) {
            throw new IllegalStateException(description + " does not address pinned host memory as the host does");
        }
        try {
            return new PinnedMemory(bytes, MAPPED, this::synchronize);
        } catch (CudaException e) {
            throw new OutOfMemoryError(bytes + " bytes of host memory cannot be pinned: " + e.getMessage());
        }
    }

    @Override
    public long startRead(long host, long address, long bytes) {
        bind();
        return copies.read(host, address, bytes);
    }

    @Override
    public long startWrite(long address, long host, long bytes) {
        bind();
        return copies.write(address, host, bytes);
    }

    @Override
    public boolean isDone(long copy) {
        bind();
        return copies.isDone(copy);
    }

    @Override
    public void await(long copy) {
        bind();
        copies.await(copy);
    }

    @Override
    public void orderAfter(Gpu starter, long copy) {
        bind();
        copies.orderAfter(((JCudaGpu) starter).copies, copy);
    }

    @Override
    public long mark() {
        bind();
        return copies.mark();
    }

    @Override
    public long startCopy(long to, long from, long bytes, long mark, Gpu peer, long peerMark, boolean incoming) {
        bind();
        return copies.between(to, from, bytes, mark, ((JCudaGpu) peer).copies, peerMark, incoming);
    }

    @Override
    public DeviceLane lane() {
        bind();
        return new CopyLane(stream, this::bind);
    }

    @Override
    public DeviceClock clock(int stamps) {
        bind();
        return new EventClock(stream, stamps, this::bind);
    }

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
        bind();
        products.multiply(
                transposeA,
                transposeB,
                m,
                n,
                k,
                operands,
                a,
                lda,
                b,
                ldb,
                beta,
                result,
                c,
                ldc,
                workspace,
                workspaceBytes);
    }

    @Override
    public void synchronize() {
        bind();
        JCudaDriver.cuStreamSynchronize(stream);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        bind();
        JCudaDriver.cuStreamSynchronize(stream);
        copies.close();
        uploads.close();
        products.close();
        modules.values().forEach(JCudaDriver::cuModuleUnload);
        JCudaDriver.cuMemFreeHost(pinned);
        JCudaDriver.cuStreamDestroy(stream);
        JCudaDriver.cuDevicePrimaryCtxRelease(device);
        arena.close();
    }
}
