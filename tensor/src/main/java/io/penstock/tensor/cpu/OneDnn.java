package io.penstock.tensor.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The part of oneDNN's C interface that matrix products need (its dnnl.h, version 3). Handles and pointers are plain addresses, so that a call allocates
 * nothing. Touch this class only where {@link OneDnnLibrary#PROBLEM} is null.
 */
final class OneDnn {
    static final int F16 = 1;
    static final int BF16 = 2;
    static final int F32 = 3;
    static final int ARG_SRC = 1;
    static final int ARG_DST = 17;
    static final int ARG_WEIGHTS = 33;
    static final int ARG_BIAS = 41;
    static final int ARG_SCRATCHPAD = 80;

    private static final int CPU = 1;
    private static final int IN_ORDER = 1;
    private static final int SCRATCHPAD_USER = 1;
    private static final int QUERY_IMPLEMENTATION = 8;
    private static final int QUERY_SCRATCHPAD = 136;
    private static final int UNIMPLEMENTED = 3;

    private static final MemoryLayout I = ValueLayout.JAVA_INT;
    private static final MemoryLayout L = ValueLayout.JAVA_LONG;
    private static final MemoryLayout F = ValueLayout.JAVA_FLOAT;

    /** Bits of dnnl_cpu_isa_t. */
    private static final int AVX512_CORE = 0x27;

    private static final int AVX512_BF16 = 0x80;

    private static final MethodHandle OMP_SET_NUM_THREADS = procedure(OneDnnLibrary.GOMP, "omp_set_num_threads", I);
    private static final MethodHandle VERSION = pointerFunction("dnnl_version");
    private static final MethodHandle ISA = function("dnnl_get_effective_cpu_isa");
    private static final MethodHandle ENGINE_CREATE = function("dnnl_engine_create", L, I, L);
    private static final MethodHandle ENGINE_DESTROY = function("dnnl_engine_destroy", L);
    private static final MethodHandle STREAM_CREATE = function("dnnl_stream_create", L, L, I);
    private static final MethodHandle STREAM_DESTROY = function("dnnl_stream_destroy", L);
    private static final MethodHandle DESC_CREATE = function("dnnl_memory_desc_create_with_strides", L, I, L, I, L);
    private static final MethodHandle DESC_DESTROY = function("dnnl_memory_desc_destroy", L);
    private static final MethodHandle DESC_SIZE = pointerFunction("dnnl_memory_desc_get_size", L);
    private static final MethodHandle ATTR_CREATE = function("dnnl_primitive_attr_create", L);
    private static final MethodHandle ATTR_DESTROY = function("dnnl_primitive_attr_destroy", L);
    private static final MethodHandle ATTR_SCRATCHPAD = function("dnnl_primitive_attr_set_scratchpad_mode", L, I);
    private static final MethodHandle ATTR_POST_OPS = function("dnnl_primitive_attr_set_post_ops", L, L);
    private static final MethodHandle POST_OPS_CREATE = function("dnnl_post_ops_create", L);
    private static final MethodHandle POST_OPS_DESTROY = function("dnnl_post_ops_destroy", L);
    private static final MethodHandle POST_OPS_SUM = function("dnnl_post_ops_append_sum", L, F, I, I);
    private static final MethodHandle MATMUL = function("dnnl_matmul_primitive_desc_create", L, L, L, L, L, L, L);
    private static final MethodHandle PD_DESTROY = function("dnnl_primitive_desc_destroy", L);
    private static final MethodHandle PD_QUERY = function("dnnl_primitive_desc_query", L, I, I, L);
    private static final MethodHandle PD_QUERY_MD = pointerFunction("dnnl_primitive_desc_query_md", L, I, I);
    private static final MethodHandle PRIMITIVE_CREATE = function("dnnl_primitive_create", L, L);
    private static final MethodHandle PRIMITIVE_DESTROY = function("dnnl_primitive_destroy", L);
    private static final MethodHandle MEMORY_CREATE = function("dnnl_memory_create", L, L, L, L);
    private static final MethodHandle MEMORY_DESTROY = function("dnnl_memory_destroy", L);
    private static final MethodHandle SET_DATA = function("dnnl_memory_set_data_handle", L, L);
    private static final MethodHandle EXECUTE = function("dnnl_primitive_execute", L, L, I, L);

    private OneDnn() {}

    private static MethodHandle function(String name, MemoryLayout... arguments) {
        return handle(OneDnnLibrary.DNNL, name, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    private static MethodHandle pointerFunction(String name, MemoryLayout... arguments) {
        return handle(OneDnnLibrary.DNNL, name, FunctionDescriptor.of(ValueLayout.JAVA_LONG, arguments));
    }

    private static MethodHandle procedure(@Nullable SymbolLookup library, String name, MemoryLayout... arguments) {
        return handle(library, name, FunctionDescriptor.ofVoid(arguments));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle handle(@Nullable SymbolLookup library, String name, FunctionDescriptor descriptor) {
        SymbolLookup symbols = Objects.requireNonNull(library, "oneDNN is not loaded");
        return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
    }

    // ---- calls ----

    private static void check(int status, String what) {
        if (status != 0) {
            throw new IllegalStateException("oneDNN: " + what + " failed with status " + status);
        }
    }

    private static RuntimeException broken(Throwable e) {
        return e instanceof RuntimeException failure ? failure : new IllegalStateException("oneDNN call failed", e);
    }

    /** "3.11.0", from dnnl_version_t {int major, minor, patch, ...}. */
    static String version() {
        try {
            long struct = (long) VERSION.invokeExact();
            return Lanes.getI32(struct, 0) + "." + Lanes.getI32(struct, 1) + "." + Lanes.getI32(struct, 2);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** The instruction set that oneDNN makes code for, by its own names ({@code ONEDNN_MAX_CPU_ISA} lowers it). */
    static String instructionSet() {
        int isa = isa();
        return switch (isa) {
            case 0x1 -> "sse41";
            case 0x3 -> "avx";
            case 0x7 -> "avx2";
            case 0xf -> "avx2_vnni";
            case 0x1f -> "avx2_vnni_2";
            case 0x27 -> "avx512_core";
            case 0x67 -> "avx512_core_vnni";
            case 0xe7 -> "avx512_core_bf16";
            case 0x1ef -> "avx512_core_fp16";
            case 0xfef -> "avx512_core_amx";
            case 0x1fef -> "avx512_core_amx_fp16";
            default -> "isa 0x" + Integer.toHexString(isa);
        };
    }

    /**
     * Whether BF16 products would be emulated: on AVX-512 without its BF16 extension oneDNN makes them all the same, from conversions in its inner loop, at a fifth of
     * the rate of F32.
     */
    static boolean emulatesBf16() {
        int isa = isa();
        return (isa & AVX512_CORE) == AVX512_CORE && (isa & AVX512_BF16) == 0;
    }

    private static int isa() {
        try {
            return (int) ISA.invokeExact();
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Makes the calling thread run oneDNN alone: the backend spreads the work itself. */
    static void useOneThread() {
        try {
            OMP_SET_NUM_THREADS.invokeExact(1);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long createEngine() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check((int) ENGINE_CREATE.invokeExact(out.address(), CPU, 0L), "engine_create");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long createStream(long engine) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check((int) STREAM_CREATE.invokeExact(out.address(), engine, IN_ORDER), "stream_create");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** A matrix of rows x columns with element strides. */
    static long createMatrix(long rows, long columns, int type, long rowStride, long columnStride) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            MemorySegment dims = arena.allocateFrom(ValueLayout.JAVA_LONG, rows, columns);
            MemorySegment strides = arena.allocateFrom(ValueLayout.JAVA_LONG, rowStride, columnStride);
            check(
                    (int) DESC_CREATE.invokeExact(out.address(), 2, dims.address(), type, strides.address()),
                    "memory_desc_create_with_strides");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** Attributes of all our products: scratch memory is the caller's, and the product is added to c if {@code accumulate}. */
    static long createAttributes(boolean accumulate) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check((int) ATTR_CREATE.invokeExact(out.address()), "primitive_attr_create");
            long attributes = out.get(ValueLayout.JAVA_LONG, 0);
            check((int) ATTR_SCRATCHPAD.invokeExact(attributes, SCRATCHPAD_USER), "attr_set_scratchpad_mode");
            if (accumulate) {
                check((int) POST_OPS_CREATE.invokeExact(out.address()), "post_ops_create");
                long postOps = out.get(ValueLayout.JAVA_LONG, 0);
                check((int) POST_OPS_SUM.invokeExact(postOps, 1f, 0, 0), "post_ops_append_sum");
                check((int) ATTR_POST_OPS.invokeExact(attributes, postOps), "attr_set_post_ops");
                check((int) POST_OPS_DESTROY.invokeExact(postOps), "post_ops_destroy");
            }
            return attributes;
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** {@code bias} may be 0. Returns 0 where this machine has no such product (BF16 below AVX-512). */
    static long createMatmul(long engine, long a, long b, long bias, long c, long attributes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            int status = (int) MATMUL.invokeExact(out.address(), engine, a, b, bias, c, attributes);
            if (status == UNIMPLEMENTED) {
                return 0;
            }
            check(status, "matmul_primitive_desc_create");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** The scratch memory's descriptor, owned by the primitive's. */
    static long scratchpad(long primitiveDescriptor) {
        try {
            return (long) PD_QUERY_MD.invokeExact(primitiveDescriptor, QUERY_SCRATCHPAD, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** The name of oneDNN's code for it, such as "brg_matmul:avx512_core"; "ref:any" is a loop of scalars. */
    static String implementation(long primitiveDescriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check(
                    (int) PD_QUERY.invokeExact(primitiveDescriptor, QUERY_IMPLEMENTATION, 0, out.address()),
                    "primitive_desc_query");
            return Lanes.ALL.getString(out.get(ValueLayout.JAVA_LONG, 0));
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long size(long descriptor) {
        try {
            return descriptor == 0 ? 0 : (long) DESC_SIZE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long createPrimitive(long primitiveDescriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check((int) PRIMITIVE_CREATE.invokeExact(out.address(), primitiveDescriptor), "primitive_create");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static long createMemory(long descriptor, long engine, long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            check((int) MEMORY_CREATE.invokeExact(out.address(), descriptor, engine, address), "memory_create");
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static void setData(long memory, long address) {
        try {
            check((int) SET_DATA.invokeExact(memory, address), "memory_set_data_handle");
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    /** {@code arguments} is an array of dnnl_exec_arg_t {int argument; pointer memory}, 16 bytes each. */
    static void execute(long primitive, long stream, int count, long arguments) {
        try {
            check((int) EXECUTE.invokeExact(primitive, stream, count, arguments), "primitive_execute");
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    // ---- ends ----

    private static void destroy(MethodHandle destructor, long handle) {
        try {
            check((int) destructor.invokeExact(handle), "destroy");
        } catch (Throwable e) {
            throw broken(e);
        }
    }

    static void destroyEngine(long engine) {
        destroy(ENGINE_DESTROY, engine);
    }

    static void destroyStream(long stream) {
        destroy(STREAM_DESTROY, stream);
    }

    static void destroyDescriptor(long descriptor) {
        destroy(DESC_DESTROY, descriptor);
    }

    static void destroyAttributes(long attributes) {
        destroy(ATTR_DESTROY, attributes);
    }

    static void destroyPrimitiveDescriptor(long primitiveDescriptor) {
        destroy(PD_DESTROY, primitiveDescriptor);
    }

    static void destroyPrimitive(long primitive) {
        destroy(PRIMITIVE_DESTROY, primitive);
    }

    static void destroyMemory(long memory) {
        destroy(MEMORY_DESTROY, memory);
    }
}
