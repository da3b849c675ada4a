package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Short vectors summed on the host in order, as the other backends sum them: a number that the host asks for has to travel anyway. */
final class HostSums {
    private static final long PIECE = 1 << 14;

    private final Gpu gpu;
    private final MemorySegment piece = Arena.ofAuto().allocate(PIECE * Double.BYTES, 64);

    HostSums(Gpu gpu) {
        this.gpu = gpu;
    }

    double sum(Tensor x) {
        DType dtype = x.dtype();
        double sum = 0;
        for (long from = 0; from < x.elements(); from += PIECE) {
            long count = Math.min(PIECE, x.elements() - from);
            MemorySegment part = piece.asSlice(0, count * dtype.bytes());
            gpu.read(part, x.address() + from * dtype.bytes());
            Tensor values = Tensor.of(part, dtype, Shape.of(count));
            for (long i = 0; i < count; i++) {
                sum += values.get(i);
            }
        }
        return sum;
    }
}
