package io.penstock.tensor.reference;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Tensors as double arrays in row-major order, whatever their dtype and stride. */
final class Values {
    private Values() {}

    static double[] read(Tensor x) {
        double[] values = new double[Math.toIntExact(x.elements())];
        int columns = Math.toIntExact(x.shape().last());
        MemorySegment segment = x.segment();
        for (int i = 0; i < values.length; i++) {
            long element = i / columns * x.rowStride() + i % columns;
            values[i] = switch (x.dtype()) {
                case F32 -> segment.getAtIndex(ValueLayout.JAVA_FLOAT, element);
                case BF16 -> DType.fromBf16(segment.getAtIndex(ValueLayout.JAVA_SHORT, element));
                case F16 -> DType.fromF16(segment.getAtIndex(ValueLayout.JAVA_SHORT, element));
                case F64 -> segment.getAtIndex(ValueLayout.JAVA_DOUBLE, element);
                case I32 -> segment.getAtIndex(ValueLayout.JAVA_INT, element);
            };
        }
        return values;
    }

    static int[] readInts(Tensor x) {
        return x.segment().asSlice(0, x.bytes()).toArray(ValueLayout.JAVA_INT);
    }

    /** Overwrites x, rounding once. */
    static void write(Tensor x, double[] values) {
        for (int i = 0; i < values.length; i++) {
            x.set(i, values[i]);
        }
    }

    /** x += values, rounding once. */
    static void accumulate(Tensor x, double[] values) {
        for (int i = 0; i < values.length; i++) {
            x.set(i, x.get(i) + values[i]);
        }
    }
}
