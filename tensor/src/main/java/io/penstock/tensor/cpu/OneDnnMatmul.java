package io.penstock.tensor.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A oneDNN primitive with the memory objects and argument list of each thread. */
final class OneDnnMatmul extends MatmulKernel {
    private static final int ARGUMENT_BYTES = 16;
    private static final int MEMORIES = 5;

    private final long primitive;
    private final long[] streams;
    private final int count;
    private final Arena arena = Arena.ofShared();

    /** For each thread: a, b, c, scratch and bias (0 if none), which are dnnl_memory_t. */
    private final long[] memories;

    private final long[] arguments;

    OneDnnMatmul(MatmulShape shape, Workspace workspace, long engine, long[] streams, OneDnnProduct product) {
        super(shape);
        this.streams = streams;
        primitive = OneDnn.createPrimitive(product.primitive);
        count = shape.bias() ? 5 : 4;
        memories = new long[streams.length * MEMORIES];
        arguments = new long[streams.length];
        for (int thread = 0; thread < streams.length; thread++) {
            int at = thread * MEMORIES;
            memories[at] = OneDnn.createMemory(product.a, engine, 0);
            memories[at + 1] = OneDnn.createMemory(product.b, engine, 0);
            memories[at + 2] = OneDnn.createMemory(product.c, engine, 0);
            memories[at + 3] = OneDnn.createMemory(product.scratchpad(), engine, workspace.matmul(thread));
            memories[at + 4] = shape.bias() ? OneDnn.createMemory(product.bias, engine, 0) : 0;
            MemorySegment list = arena.allocate((long) count * ARGUMENT_BYTES, 8);
            argument(list, 0, OneDnn.ARG_SRC, memories[at]);
            argument(list, 1, OneDnn.ARG_WEIGHTS, memories[at + 1]);
            argument(list, 2, OneDnn.ARG_DST, memories[at + 2]);
            argument(list, 3, OneDnn.ARG_SCRATCHPAD, memories[at + 3]);
            if (shape.bias()) {
                argument(list, 4, OneDnn.ARG_BIAS, memories[at + 4]);
            }
            arguments[thread] = list.address();
        }
    }

    private static void argument(MemorySegment list, int index, int name, long memory) {
        list.set(ValueLayout.JAVA_INT, (long) index * ARGUMENT_BYTES, name);
        list.set(ValueLayout.JAVA_LONG, (long) index * ARGUMENT_BYTES + 8, memory);
    }

    @Override
    void run(int thread, long a, long b, long c, long bias) {
        int at = thread * MEMORIES;
        OneDnn.setData(memories[at], a);
        OneDnn.setData(memories[at + 1], b);
        OneDnn.setData(memories[at + 2], c);
        if (shape.bias()) {
            OneDnn.setData(memories[at + 4], bias);
        }
        OneDnn.execute(primitive, streams[thread], count, arguments[thread]);
    }

    @Override
    void close() {
        for (long memory : memories) {
            if (memory != 0) {
                OneDnn.destroyMemory(memory);
            }
        }
        OneDnn.destroyPrimitive(primitive);
        arena.close();
    }
}
