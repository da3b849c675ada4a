package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;

/** Makes oneDNN products, or ours where it has none: one engine, and a stream for each thread of the backend. */
final class OneDnnMatmuls implements MatmulKernels.Factory {
    private final Workspace workspace;
    private final long engine;
    private final long[] streams;
    private final boolean bf16;

    OneDnnMatmuls(Workspace workspace, int threads) {
        this.workspace = workspace;
        OneDnn.useOneThread();
        engine = OneDnn.createEngine();
        streams = new long[threads];
        for (int i = 0; i < threads; i++) {
            streams[i] = OneDnn.createStream(engine);
        }
        bf16 = hasBf16(engine);
    }

    /** "oneDNN 3.11.0, avx512_core_bf16", or how BF16 is multiplied where it has no instructions for it. */
    static String describe() {
        long engine = OneDnn.createEngine();
        try {
            return describe(hasBf16(engine));
        } finally {
            OneDnn.destroyEngine(engine);
        }
    }

    private static String describe(boolean bf16) {
        return "oneDNN " + OneDnn.version() + ", " + OneDnn.instructionSet() + (bf16 ? "" : ", BF16 products in F32");
    }

    /** Whether oneDNN's own BF16 products are worth having. */
    private static boolean hasBf16(long engine) {
        if (OneDnn.emulatesBf16()) {
            return false;
        }
        long square = OneDnn.createMatrix(16, 16, OneDnn.BF16, 16, 1);
        long attributes = OneDnn.createAttributes(false);
        long primitive = OneDnn.createMatmul(engine, square, square, 0, square, attributes);
        if (primitive != 0) {
            OneDnn.destroyPrimitiveDescriptor(primitive);
        }
        OneDnn.destroyAttributes(attributes);
        OneDnn.destroyDescriptor(square);
        return primitive != 0;
    }

    @Override
    public MatmulKernel create(MatmulShape shape) {
        // oneDNN multiplies F16 on few machines only (AVX-512 FP16), none of which this was tried on
        boolean widened = shape.type() == DType.F16 || (shape.type() == DType.BF16 && !bf16);
        return widened ? new WidenedMatmul(shape, this, workspace) : create(shape, Workspace.MATMUL_BYTES);
    }

    /** The kernel of a shape of F32 that makes do with so much scratch memory. */
    MatmulKernel createF32(MatmulShape shape, long scratchBytes) {
        return create(shape, scratchBytes);
    }

    private MatmulKernel create(MatmulShape shape, long scratchBytes) {
        // The caller's thread may be new to OpenMP: kernels are made for the number of threads that it sees.
        OneDnn.useOneThread();
        long a = descriptor(shape.m(), shape.k(), shape.type(), shape.transposeA(), shape.lda());
        long b = descriptor(shape.k(), shape.n(), shape.type(), shape.transposeB(), shape.ldb());
        long c = descriptor(shape.m(), shape.n(), shape.output(), false, shape.ldc());
        long bias = shape.bias() ? descriptor(1, shape.n(), DType.F32, false, shape.n()) : 0;
        long attributes = OneDnn.createAttributes(shape.accumulate());
        long primitive = OneDnn.createMatmul(engine, a, b, bias, c, attributes);
        try {
            if (primitive == 0) {
                return new JavaMatmul(shape, workspace);
            }
            if (DeepMatmul.suits(shape)) {
                return new DeepMatmul(shape, this, workspace);
            }
            long scratchpad = OneDnn.scratchpad(primitive);
            if (OneDnn.size(scratchpad) > scratchBytes) {
                return new SplitMatmul(shape, half -> create(half, scratchBytes), scratchBytes);
            }
            return new OneDnnMatmul(shape, workspace, engine, streams, primitive, a, b, bias, c, scratchpad);
        } finally {
            if (primitive != 0) {
                OneDnn.destroyPrimitiveDescriptor(primitive);
            }
            OneDnn.destroyAttributes(attributes);
            OneDnn.destroyDescriptor(a);
            OneDnn.destroyDescriptor(b);
            OneDnn.destroyDescriptor(c);
            if (bias != 0) {
                OneDnn.destroyDescriptor(bias);
            }
        }
    }

    private static long descriptor(long rows, long columns, DType dtype, boolean transposed, long leading) {
        int type = dtype == DType.BF16 ? OneDnn.BF16 : OneDnn.F32;
        return transposed
                ? OneDnn.createMatrix(rows, columns, type, 1, leading)
                : OneDnn.createMatrix(rows, columns, type, leading, 1);
    }

    @Override
    public String description() {
        return describe(bf16);
    }

    @Override
    public void close() {
        for (long stream : streams) {
            OneDnn.destroyStream(stream);
        }
        OneDnn.destroyEngine(engine);
    }
}
