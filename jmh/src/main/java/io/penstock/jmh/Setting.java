package io.penstock.jmh;

import io.penstock.tensor.DType;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** How the benchmarks of single operations run: on the activations of GPT-2 124M at B=4 T=1024. */
@State(Scope.Benchmark)
public class Setting {
    static final int BATCH = 4;
    static final int SEQUENCE = 1024;
    static final int ROWS = BATCH * SEQUENCE;
    static final int HIDDEN = 768;
    static final int HEADS = 12;
    static final int FEED_FORWARD = 4 * HIDDEN;
    static final int VOCABULARY = 50257;

    @Param({"F32", "BF16"})
    public DType dtype = DType.F32;

    @Param("2")
    public int threads;

    /** Bytes of {@code elements} of the dtype. */
    long bytes(long elements) {
        return elements * dtype.bytes();
    }
}
