package io.penstock.tensor;

/** What the checks of operations ask of one tensor, or of two: dtype, shape, strides, overlap. */
final class OperandChecks {
    private OperandChecks() {}

    static void computeType(String name, Tensor x) {
        if (x.dtype() == DType.I32) {
            throw new IllegalStateException(name + " is " + x.dtype() + ", expected F32, BF16, F16 or F64");
        }
    }

    static void contiguousCompute(String name, Tensor x) {
        computeType(name, x);
        Checks.contiguous(name, x);
    }

    /** Contiguous, of the rows, columns and dtype of {@code model}. */
    static void like(String name, Tensor x, Tensor model) {
        Checks.contiguous(name, x);
        Checks.dtype(name, x, model.dtype());
        matrix(name, x, model.shape().rows(), model.shape().last());
    }

    static void matrix(String name, Tensor x, long rows, long columns) {
        if (x.shape().rows() != rows || x.shape().last() != columns) {
            throw new IllegalStateException(
                    name + " has shape " + x.shape() + ", expected " + rows + " rows of " + columns);
        }
    }

    static void vector(String name, Tensor x, long elements, DType dtype) {
        Checks.contiguous(name, x);
        Checks.dtype(name, x, dtype);
        Checks.elements(name, x, elements);
    }

    static void disjoint(String outputName, Tensor output, String inputName, Tensor input) {
        if (Overlap.between(output, input)) {
            throw new IllegalStateException(outputName + " " + output + " overlaps " + inputName + " " + input
                    + ": addresses " + output.address() + " and " + input.address());
        }
    }

    static void disjointOrSame(String outputName, Tensor output, String inputName, Tensor input) {
        if (!Overlap.same(output, input)) {
            disjoint(outputName, output, inputName, input);
        }
    }
}
