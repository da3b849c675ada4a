package io.penstock.tensor.cpu;

/** Makes {@link JavaMatmul}s: the products of machines without oneDNN. */
final class JavaMatmuls implements MatmulKernels.Factory {
    private final Workspace workspace;
    private final String reason;

    JavaMatmuls(Workspace workspace, String reason) {
        this.workspace = workspace;
        this.reason = reason;
    }

    @Override
    public MatmulKernel create(MatmulShape shape) {
        return new JavaMatmul(shape, workspace);
    }

    @Override
    public String description() {
        return "Vector API products of " + Lanes.FLOATS.vectorBitSize() + " bits: " + reason;
    }

    @Override
    public void close() {}
}
