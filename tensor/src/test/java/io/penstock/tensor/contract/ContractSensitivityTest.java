package io.penstock.tensor.contract;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.contract.OperationCase.Operand;
import io.penstock.tensor.contract.OperationCase.Outcome;
import io.penstock.tensor.contract.OperationCase.Role;
import io.penstock.tensor.reference.ReferenceBackend;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The contract can fail: no tolerance is so wide, and no guard so blind, that a wrong result passes. */
final class ContractSensitivityTest {
    private static final long SMALL_BYTES = 48_000;
    private static final long SEED = 7;
    /** Of the largest expected value; what a lost term of a short sum would be. */
    private static final double COARSE = 0.05;

    private static final double FINE = 0.005;

    private final ReferenceBackend reference = new ReferenceBackend();

    @Test
    void shouldCatchOneWrongElement() {
        for (OperationCase operation : smallCases()) {
            MemorySegment initial = operation.initial();
            Outcome right = operation.run(reference, OperationCase.copy(initial));
            assertDoesNotThrow(() -> operation.verify(initial, right, right));
            for (Operand operand : operation.operands()) {
                if (operand.role() == Role.OUTPUT) {
                    Outcome wrong = withWrongElement(operation, operand, right);
                    assertThrows(
                            AssertionError.class,
                            () -> operation.verify(initial, right, wrong),
                            operation + ": wrong " + operand.name());
                }
            }
        }
    }

    private static Outcome withWrongElement(OperationCase operation, Operand operand, Outcome right) {
        MemorySegment image = OperationCase.copy(right.image());
        Tensor output = operand.in(image);
        boolean coarse = operand.dtype() == DType.BF16
                || operation.toString().contains("BF16")
                || operation.toString().contains("huge")
                || operation.toString().contains("hard to round");
        double maxAbs = TestTensors.maxAbs(output);
        double largest = Double.isFinite(maxAbs) ? Math.clamp(maxAbs, 0.1, 1e5) : 1;
        long index = new SplittableRandom(SEED).nextLong(output.elements());
        double value = output.get(index);
        double finite = Double.isFinite(value) && Math.abs(value) <= 1e5 ? value : 0;
        // of what may be larger than the largest that counts: a number by which nothing changes is no wrong result
        double size = Math.max(largest, Math.abs(finite));
        output.set(index, finite + size * (coarse ? COARSE : FINE));
        return new Outcome(image);
    }

    @Test
    void shouldCatchAnyChangedByteThatIsNoOutput() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (OperationCase operation : smallCases()) {
            MemorySegment initial = operation.initial();
            Outcome right = operation.run(reference, OperationCase.copy(initial));
            for (Operand operand : operation.operands()) {
                long last = operand.shape().rows() * operand.rowStride()
                        - (operand.rowStride() - operand.shape().last());
                for (long at : new long[] {
                    operand.offset() - 1,
                    operand.offset() + last * operand.dtype().bytes(),
                    random.nextLong(operation.bytes())
                }) {
                    checkByte(operation, initial, right, at);
                }
            }
        }
    }

    private static void checkByte(OperationCase operation, MemorySegment initial, Outcome right, long at) {
        if (belongsToWritten(operation, at)) {
            return;
        }
        MemorySegment image = OperationCase.copy(right.image());
        image.set(ValueLayout.JAVA_BYTE, at, (byte) (image.get(ValueLayout.JAVA_BYTE, at) ^ 0x55));
        assertThrows(
                AssertionError.class,
                () -> operation.verify(initial, right, new Outcome(image)),
                operation + ": byte " + at);
    }

    private static boolean belongsToWritten(OperationCase operation, long at) {
        for (Operand operand : operation.operands()) {
            long element = Math.floorDiv(at - operand.offset(), operand.dtype().bytes());
            boolean within = element >= 0
                    && element / operand.rowStride() < operand.shape().rows()
                    && element % operand.rowStride() < operand.shape().last();
            if (operand.role() != Role.INPUT && within) {
                return true;
            }
        }
        return false;
    }

    private static List<OperationCase> smallCases() {
        List<OperationCase> small = new ArrayList<>(BackendContract.allCases());
        small.removeIf(operation -> operation.bytes() > SMALL_BYTES);
        assertTrue(small.size() > 500, small.size() + " small cases");
        return small;
    }
}
