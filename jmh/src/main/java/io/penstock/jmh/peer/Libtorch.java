package io.penstock.jmh.peer;

import io.penstock.tensor.DType;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** What every user of libtorch needs: threads, and arrays in and out of its tensors. Those tensors belong to the caller's {@code PointerScope}. */
public final class Libtorch {
    static {
        // JavaCPP refuses allocations by the resident size of the whole process and the Java heap's limit, which says
        // nothing of libtorch's memory.
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    }

    private Libtorch() {}

    /** Of its operations and of the libraries it calls; for the whole process. */
    public static void threads(int count) {
        torch.set_num_threads(count);
    }

    public static ScalarType type(DType dtype) {
        return switch (dtype) {
            case F32 -> ScalarType.Float;
            case BF16 -> ScalarType.BFloat16;
            case F16 -> ScalarType.Half;
            case F64 -> ScalarType.Double;
            case I32 -> ScalarType.Int;
        };
    }

    /** A copy of {@code values}, rounded to {@code dtype}. */
    public static Tensor tensor(float[] values, DType dtype, long... shape) {
        return Tensor.create(values, shape).to(type(dtype));
    }

    /** Ids as libtorch wants them: 64 bits. */
    public static Tensor ids(int[] values, long... shape) {
        long[] wide = new long[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return Tensor.create(wide, shape);
    }

    /** Normal values around 0, from libtorch's generator. */
    public static Tensor normal(double standardDeviation, DType dtype, long... shape) {
        return torch.randn(shape).mul(new Scalar(standardDeviation)).to(type(dtype));
    }

    /** The elements in row-major order, widened to floats. */
    public static float[] floats(Tensor tensor) {
        Tensor plain = tensor.detach().to(ScalarType.Float).contiguous();
        float[] values = new float[Math.toIntExact(plain.numel())];
        new FloatPointer(plain.data_ptr()).get(values);
        return values;
    }
}
