package io.penstock.tensor.contract;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.contract.OperationCase.Operand;
import io.penstock.tensor.contract.OperationCase.Role;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Lays the operands of an {@link OperationCase} one after another, guards between them. */
final class CaseBuilder {
    private static final long GUARD_BYTES = 128;
    /** Strided rows begin at this column of wider rows: an odd address, so that no backend relies on alignment. */
    private static final long FIRST_COLUMN = 3;

    private static final long MORE_COLUMNS = 5;

    private final String operation;
    private final String details;
    private final long seed;
    private final Map<String, Operand> operands = new LinkedHashMap<>();
    private long end = GUARD_BYTES;
    private @Nullable Consumer<TensorSource> preparation;
    private Consumer<TensorSource> property = tensors -> {};

    private CaseBuilder(String operation, String details) {
        this.operation = operation;
        this.details = details;
        this.seed = (operation + details).hashCode();
    }

    /** The seed comes from the names, so that a case keeps its numbers when others come and go. */
    static CaseBuilder of(String operation, String details) {
        return new CaseBuilder(operation, details);
    }

    CaseBuilder tensor(String name, DType dtype, Fill fill, long... dims) {
        Shape shape = Shape.of(dims);
        return place(name, dtype, shape, shape.last(), 0, fill);
    }

    /** Rows apart, and off the alignment, if {@code strided}. */
    CaseBuilder matrix(String name, DType dtype, Fill fill, boolean strided, long... dims) {
        if (!strided) {
            return tensor(name, dtype, fill, dims);
        }
        Shape shape = Shape.of(dims);
        return place(name, dtype, shape, shape.last() + MORE_COLUMNS, FIRST_COLUMN, fill);
    }

    private CaseBuilder place(String name, DType dtype, Shape shape, long rowStride, long firstColumn, Fill fill) {
        long offset = end + firstColumn * dtype.bytes();
        put(new Operand(name, dtype, shape, rowStride, offset, fill, Role.INPUT, Tolerance.EXACT));
        end = TensorTable.align(end + shape.rows() * rowStride * dtype.bytes() + GUARD_BYTES);
        return this;
    }

    /** {@code name} is another view that begins where row 0 of {@code base} has column {@code from}. */
    CaseBuilder view(String name, String base, long from, DType dtype, long rowStride, long... dims) {
        Operand under = operand(base);
        long offset = under.offset() + from * under.dtype().bytes();
        return put(new Operand(name, dtype, Shape.of(dims), rowStride, offset, null, Role.INPUT, Tolerance.EXACT));
    }

    /** {@code name} is all of {@code base}. */
    CaseBuilder alias(String name, String base) {
        Operand x = operand(base);
        return put(
                new Operand(name, x.dtype(), x.shape(), x.rowStride(), x.offset(), null, Role.INPUT, Tolerance.EXACT));
    }

    CaseBuilder output(String name, Tolerance tolerance) {
        return replace(name, Role.OUTPUT, tolerance);
    }

    CaseBuilder scratch(String name) {
        return replace(name, Role.SCRATCH, Tolerance.EXACT);
    }

    /** Fills further inputs from the filled ones, as an earlier operation would have. */
    CaseBuilder prepare(Consumer<TensorSource> step) {
        preparation = step;
        return this;
    }

    /** What else must hold of the tensors afterwards. */
    CaseBuilder holds(Consumer<TensorSource> assertion) {
        property = assertion;
        return this;
    }

    OperationCase run(BiConsumer<Backend, TensorSource> call) {
        return new OperationCase(operation, details, seed, operands, end, call, preparation, property);
    }

    private Operand operand(String name) {
        Operand operand = operands.get(name);
        if (operand == null) {
            throw new IllegalStateException("no operand '" + name + "' in " + operands.keySet());
        }
        return operand;
    }

    private CaseBuilder put(Operand operand) {
        if (operands.putIfAbsent(operand.name(), operand) != null) {
            throw new IllegalStateException("two operands named '" + operand.name() + "'");
        }
        return this;
    }

    private CaseBuilder replace(String name, Role role, Tolerance tolerance) {
        Operand x = operand(name);
        operands.put(
                name, new Operand(name, x.dtype(), x.shape(), x.rowStride(), x.offset(), x.fill(), role, tolerance));
        return this;
    }
}
