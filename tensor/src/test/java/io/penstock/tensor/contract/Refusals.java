package io.penstock.tensor.contract;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.I32;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import io.penstock.tensor.contract.OperationCase.Operand;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** Calls that every backend is to refuse with {@link IllegalStateException}, before it touches memory. */
final class Refusals {
    /** Operations of one tensor, which any shape suits. */
    private static final Set<String> ANY_SHAPE = Set.of("zero");

    /** Operands whose rows no other operand is as wide as. */
    private static final Set<String> ANY_WIDTH = Set.of("softmaxPart logits", "sum x", "sumOfSquares x");

    private final Backend backend;

    Refusals(Backend backend) {
        this.backend = backend;
    }

    void check() {
        Map<String, OperationCase> fullest = new LinkedHashMap<>();
        for (OperationCase operation : BackendContract.allCases()) {
            if (!ANY_SHAPE.contains(operation.operation())) {
                fullest.merge(
                        operation.operation(),
                        operation,
                        (one, other) -> other.operands().size() > one.operands().size() ? other : one);
            }
        }
        for (OperationCase operation : fullest.values()) {
            for (Operand operand : operation.operands()) {
                checkOperand(operation, operand);
            }
        }
        checkLayouts();
        checkOverlaps();
        checkModes();
    }

    private void checkOperand(OperationCase operation, Operand operand) {
        Shape shape = operand.shape();
        Tensor wider = TestTensors.zeros(operand.dtype(), shape.rows(), shape.last() + 1);
        Tensor otherType = TestTensors.zeros(operand.dtype() == I32 ? F32 : I32, shape.rows(), shape.last());
        // On the device, for an operand that the operation does not take by itself is no reason to refuse it.
        try (DeviceMemory memory = backend.allocate(operation.bytes())) {
            TensorSource right = operation.tensors(memory.segment());
            checkOperand(operation, operand, right, wider, otherType);
            backend.synchronize();
        }
    }

    private void checkOperand(
            OperationCase operation, Operand operand, TensorSource right, Tensor wider, Tensor otherType) {
        boolean[] used = {false};
        for (Tensor wrong : new Tensor[] {wider, otherType}) {
            TensorSource tensors = name -> {
                used[0] |= name.equals(operand.name());
                return name.equals(operand.name()) ? wrong : right.tensor(name);
            };
            try {
                operation.run(backend, tensors);
            } catch (IllegalStateException refusal) {
                expectNumbers(operation + " with " + operand.name() + " " + wrong, refusal, wrong == wider);
                continue;
            }
            boolean suits = wrong == wider && ANY_WIDTH.contains(operation.operation() + " " + operand.name());
            if (used[0] && !suits) {
                throw new AssertionError(operation + " takes " + operand.name() + " " + wrong);
            }
        }
    }

    private void checkLayouts() {
        Tensor wide = TestTensors.zeros(F32, 4, 8);
        Tensor strided = wide.columns(2, 4);
        Tensor x = TestTensors.zeros(F32, 4, 4);
        refuse("zero of strided rows", () -> backend.zero(strided));
        refuse("sumOfSquares of strided rows", () -> backend.sumOfSquares(TestTensors.zeros(DType.F64, 1), strided));
        refuse("add of strided rows", () -> backend.add(x, strided));
        refuse("gelu of strided rows", () -> backend.gelu(x, strided));
        refuse("gelu into strided rows", () -> backend.gelu(strided, x));
    }

    private void checkOverlaps() {
        Tensor x = TestTensors.zeros(F32, 4, 4);
        Tensor y = TestTensors.zeros(F32, 4, 4);
        Tensor wide = TestTensors.zeros(F32, 4, 8);
        refuse("matmul in place", () -> backend.matmul(x, x, false, y, false, null, Write.OVERWRITE));
        refuse("gelu in place", () -> backend.gelu(x, x));
        refuse("copy between overlapping columns", () -> backend.copy(wide.columns(0, 4), wide.columns(3, 4)));
        refuse(
                "geluBackward into part of dy",
                () -> backend.geluBackward(
                        wide.reshape(Shape.of(8, 4)).slice(1, 4),
                        wide.reshape(Shape.of(8, 4)).slice(0, 4),
                        x));
        try (DeviceMemory memory = backend.allocate(wide.bytes())) {
            Tensor onDevice = Tensor.of(memory.segment(), F32, wide.shape());
            // side by side is no overlap
            backend.copy(onDevice.columns(0, 4), onDevice.columns(4, 4));
            backend.synchronize();
        }
    }

    private void checkModes() {
        Tensor a = TestTensors.zeros(BF16, 4, 4);
        Tensor b = TestTensors.zeros(BF16, 4, 4);
        Tensor narrow = TestTensors.zeros(BF16, 4, 4);
        Tensor wide = TestTensors.zeros(F32, 4, 4);
        Tensor bias = TestTensors.zeros(F32, 4);
        Tensor tokens = TestTensors.zeros(I32, 4);
        refuse("accumulation into BF16", () -> backend.matmul(narrow, a, false, b, false, null, Write.ACCUMULATE));
        refuse("a bias on accumulation", () -> backend.matmul(wide, a, false, b, false, bias, Write.ACCUMULATE));
        refuse("4 tokens of sequences of 3", () -> backend.embedding(narrow, tokens, a, null, 3));
        refuse("2 positions for sequences of 4", () -> backend.embedding(narrow, tokens, a, b.slice(0, 2), 4));
        refuse("heads of an odd size", () -> backend.rotary(wide, tensors(4, 4), 1, 4, 1e4));
        refuse("4 columns in heads of 8", () -> backend.rotary(wide, tensors(4, 4), 8, 4, 1e4));
        refuse("4 rows of sequences of 3", () -> backend.rotary(wide, tensors(4, 4), 4, 3, 1e4));
        refuse("a theta of 0", () -> backend.rotary(wide, tensors(4, 4), 4, 4, 0));
        refuse("BF16 statistics", () -> backend.layerNorm(narrow, tensor(BF16), tensor(BF16), a, bias, bias, 1e-5f));
    }

    private static Tensor tensors(long rows, long columns) {
        return TestTensors.zeros(F32, rows, columns);
    }

    private static Tensor tensor(DType dtype) {
        return TestTensors.zeros(dtype, 4);
    }

    private static void refuse(String what, Runnable call) {
        try {
            call.run();
        } catch (IllegalStateException refusal) {
            return;
        }
        throw new AssertionError(what + " is taken");
    }

    private static void expectNumbers(String what, IllegalStateException refusal, boolean numbers) {
        String message = String.valueOf(refusal.getMessage());
        if (numbers && message.chars().noneMatch(Character::isDigit)) {
            throw new AssertionError(what + " is refused without numbers: " + message, refusal);
        }
    }
}
