package io.penstock.tensor.contract;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One call of one operation: its tensors in one block of memory, what they hold before, which of them it writes and how exactly. Between the tensors, in
 * the gaps of strided rows and in outputs that are overwritten lie 0xFF bytes, which are NaN in every dtype: an operation that reads them is poisoned,
 * one that writes them is caught.
 *
 * <pre>
 *   | guard | a, row 0 | gap | a, row 1 | gap | .. | guard | b ... | guard |
 * </pre>
 */
final class OperationCase {
    enum Role {
        INPUT,
        OUTPUT,
        /** An input that the contract allows to be destroyed. */
        SCRATCH
    }

    record Operand(
            String name,
            DType dtype,
            Shape shape,
            long rowStride,
            long offset,
            @Nullable Fill fill,
            Role role,
            Tolerance tolerance) {
        Tensor in(MemorySegment image) {
            return Tensor.strided(image.asSlice(offset), dtype, shape, rowStride);
        }
    }

    /** What an operation left: the whole block. */
    record Outcome(MemorySegment image) {}

    private final String operation;
    private final String name;
    private final long seed;
    private final Map<String, Operand> operands;
    private final long bytes;
    private final BiConsumer<Backend, TensorSource> call;
    private final @Nullable Consumer<TensorSource> preparation;
    private final Consumer<TensorSource> property;

    OperationCase(
            String operation,
            String details,
            long seed,
            Map<String, Operand> operands,
            long bytes,
            BiConsumer<Backend, TensorSource> call,
            @Nullable Consumer<TensorSource> preparation,
            Consumer<TensorSource> property) {
        this.operation = operation;
        this.name = operation + " " + details + " seed=" + seed;
        this.seed = seed;
        this.operands = operands;
        this.bytes = bytes;
        this.call = call;
        this.preparation = preparation;
        this.property = property;
    }

    String operation() {
        return operation;
    }

    long bytes() {
        return bytes;
    }

    List<Operand> operands() {
        return List.copyOf(operands.values());
    }

    TensorSource tensors(MemorySegment image) {
        return operand -> operand(operand).in(image);
    }

    Outcome run(Backend backend, MemorySegment image) {
        call.accept(backend, tensors(image));
        return new Outcome(image);
    }

    /** Runs the operation with other tensors under the operands' names. */
    void run(Backend backend, TensorSource tensors) {
        call.accept(backend, tensors);
    }

    /** The memory before the operation, on the host. */
    MemorySegment initial() {
        MemorySegment image = Arena.ofAuto().allocate(bytes, TensorTable.ALIGNMENT);
        image.fill((byte) 0xFF);
        SplittableRandom random = new SplittableRandom(seed);
        for (Operand operand : operands.values()) {
            if (operand.fill != null && operand.fill != Fill.POISON) {
                Tensor x = operand.in(image);
                for (long i = 0; i < x.elements(); i++) {
                    x.set(i, operand.fill.next(random));
                }
            }
        }
        if (preparation != null) {
            preparation.accept(tensors(image));
        }
        return image;
    }

    /** {@code before} is the initial memory. Fails unless {@code actual} has the expected outputs within their tolerances and every other byte as before. */
    void verify(MemorySegment before, Outcome expected, Outcome actual) {
        for (Operand operand : operands.values()) {
            if (operand.role == Role.OUTPUT) {
                operand.tolerance.check(
                        name + ": " + operand.name, operand.in(actual.image), operand.in(expected.image));
            }
        }
        verifyUntouched(before, actual.image);
        property.accept(tensors(actual.image));
    }

    private void verifyUntouched(MemorySegment before, MemorySegment actual) {
        MemorySegment restored = copy(actual);
        for (Operand operand : operands.values()) {
            if (operand.role != Role.INPUT) {
                restore(operand, before, restored);
            }
        }
        long mismatch = before.mismatch(restored);
        if (mismatch >= 0) {
            throw new AssertionError(name + ": byte " + mismatch + " of " + bytes + " is no output's and was changed: "
                    + place(mismatch));
        }
    }

    static MemorySegment copy(MemorySegment image) {
        MemorySegment copy = Arena.ofAuto().allocate(image.byteSize(), TensorTable.ALIGNMENT);
        MemorySegment.copy(image, 0, copy, 0, image.byteSize());
        return copy;
    }

    private static void restore(Operand operand, MemorySegment before, MemorySegment image) {
        long width = operand.dtype.bytes();
        for (long row = 0; row < operand.shape.rows(); row++) {
            long from = operand.offset + row * operand.rowStride * width;
            MemorySegment.copy(before, from, image, from, operand.shape.last() * width);
        }
    }

    void verifySameBits(Outcome first, Outcome second, String difference) {
        long mismatch = first.image.mismatch(second.image);
        if (mismatch >= 0) {
            throw new AssertionError(
                    name + ": other bits " + difference + " at byte " + mismatch + ", " + place(mismatch));
        }
    }

    /** A checksum of all that the operation left. */
    static long checksum(Outcome outcome) {
        CRC32C crc = new CRC32C();
        crc.update(outcome.image.asByteBuffer());
        return crc.getValue();
    }

    private Operand operand(String wanted) {
        Operand operand = operands.get(wanted);
        if (operand == null) {
            throw new IllegalStateException(name + " has no operand '" + wanted + "', only " + operands.keySet());
        }
        return operand;
    }

    /** The operand that a byte belongs to or comes after. */
    private String place(long byteOffset) {
        Operand nearest = null;
        for (Operand operand : operands.values()) {
            if (operand.offset <= byteOffset && (nearest == null || operand.offset >= nearest.offset)) {
                nearest = operand;
            }
        }
        if (nearest == null) {
            return "in the guard before the first operand";
        }
        long element = (byteOffset - nearest.offset) / nearest.dtype.bytes();
        return "row " + element / nearest.rowStride + ", column " + element % nearest.rowStride
                + " counted from the start of " + nearest.name + " " + nearest.dtype + nearest.shape + " (row stride "
                + nearest.rowStride + ")";
    }

    @Override
    public String toString() {
        return name;
    }
}
