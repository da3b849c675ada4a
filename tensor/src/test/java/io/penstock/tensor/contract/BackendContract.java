package io.penstock.tensor.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.contract.OperationCase.Outcome;
import io.penstock.tensor.reference.ReferenceBackend;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * What {@link Backend} promises, held against {@link ReferenceBackend}: a backend's test class extends this and says how to make one. Subclasses need a
 * constructor without arguments, for {@link SameBits} makes one in an interpreted JVM.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
    private static final int WARM_UP_RUNS = 400;

    private final Backend reference = new ReferenceBackend();
    private Backend backend = reference;

    protected abstract Backend createBackend();

    /** Host bytes to device memory of the same size; as here where the device is the host. */
    protected void upload(Backend backend, DeviceMemory device, MemorySegment host) {
        MemorySegment.copy(host, 0, device.segment(), 0, host.byteSize());
    }

    protected void download(Backend backend, MemorySegment host, DeviceMemory device) {
        MemorySegment.copy(device.segment(), 0, host, 0, host.byteSize());
    }

    /** Whether F64 is a compute type of this backend; if not, it is to be refused. */
    protected boolean computesF64() {
        return false;
    }

    /** Runs of an operation after which its code should be as compiled as it gets. */
    protected int warmUpRuns() {
        return WARM_UP_RUNS;
    }

    /** The largest case of the contract that is run, in bytes of its tensors: for backends that are slow. */
    protected long mostBytes() {
        return Long.MAX_VALUE;
    }

    @BeforeAll
    void open() {
        backend = createBackend();
    }

    @AfterAll
    void close() {
        backend.close();
    }

    @Test
    void shouldZero() {
        checkAll(MovingCases.zero());
    }

    @Test
    void shouldCopyAndCast() {
        checkAll(MovingCases.copy());
    }

    @Test
    void shouldAdd() {
        checkAll(MovingCases.add());
        checkAll(MovingCases.addAll());
    }

    @Test
    void shouldMultiplyMatrices() {
        checkAll(MatrixCases.matmul());
    }

    @Test
    void shouldSumRows() {
        checkAll(MatrixCases.sumRows());
    }

    @Test
    void shouldEmbed() {
        checkAll(MovingCases.embedding());
    }

    @Test
    void shouldNormalise() {
        checkAll(NormCases.all());
    }

    @Test
    void shouldDoWhatLlamaNeeds() {
        checkAll(LlamaCases.all());
    }

    @Test
    void shouldAttend() {
        checkAll(AttentionCases.all());
    }

    @Test
    void shouldActivate() {
        checkAll(LossCases.gelu());
    }

    @Test
    void shouldLose() {
        checkAll(LossCases.crossEntropy());
    }

    @Test
    void shouldEmbedByParts() {
        checkAll(VocabularyPartCases.embedding());
    }

    @Test
    void shouldLoseByParts() {
        checkAll(VocabularyPartCases.crossEntropy());
    }

    @Test
    void shouldSumInOrder() {
        checkAll(OptimizerCases.sum());
    }

    @Test
    void shouldSumSquares() {
        checkAll(OptimizerCases.sumOfSquares());
    }

    @Test
    void shouldStepAdamW() {
        checkAll(OptimizerCases.adamW());
    }

    @Test
    void shouldGiveZeroedMemory() {
        try (DeviceMemory memory = backend.allocate(1000)) {
            MemorySegment host = Arena.ofAuto().allocate(1000);
            host.fill((byte) 1);
            download(backend, host, memory);
            assertEquals(1000, memory.segment().byteSize());
            assertEquals(0, memory.segment().address() % TensorTable.ALIGNMENT);
            assertEquals(-1, host.mismatch(Arena.ofAuto().allocate(1000)), "first byte that is not 0");
        }
    }

    @Test
    void shouldRefuseWrongArguments() {
        new Refusals(backend).check();
    }

    @Test
    void shouldRefuseF64UnlessItComputesIt() {
        if (!computesF64()) {
            Tensor x = TestTensors.random(1, DType.F64, 8);
            Tensor y = TestTensors.zeros(DType.F64, 8);
            assertThrows(IllegalStateException.class, () -> backend.gelu(y, x));
            assertThrows(IllegalStateException.class, () -> backend.add(y, x));
            assertThrows(IllegalStateException.class, () -> backend.sumOfSquares(TestTensors.zeros(DType.F64, 1), x));
        }
    }

    @Test
    void shouldGiveTheSameBitsWarmedUp() {
        for (OperationCase operation : SameBits.cases()) {
            MemorySegment initial = operation.initial();
            try (DeviceMemory memory = backend.allocate(initial.byteSize())) {
                Outcome first = run(backend, operation, initial, memory);
                for (int i = 0; i < warmUpRuns(); i++) {
                    upload(backend, memory, initial);
                    operation.run(backend, memory.segment());
                }
                operation.verifySameBits(first, run(backend, operation, initial, memory), "after warm-up");
            }
        }
    }

    @Test
    void shouldGiveTheSameBitsInterpreted() throws IOException, InterruptedException {
        Map<String, String> interpreted = SameBits.inAnInterpreter(getClass());
        for (OperationCase operation : SameBits.cases()) {
            assertEquals(
                    interpreted.get(operation.toString()),
                    checksum(backend, operation),
                    operation + ": other bits than under -Xint");
        }
    }

    /** Fails unless both backends leave the same bits in every case: for the same kernels under other numbers of threads. */
    protected final void assertSameBits(Backend one, Backend other) {
        CaseFailures failures = new CaseFailures();
        for (OperationCase operation : allCases()) {
            if (operation.bytes() > mostBytes()) {
                continue;
            }
            failures.run(() -> operation.verifySameBits(
                    run(one, operation, operation.initial()),
                    run(other, operation, operation.initial()),
                    "on " + other.description()));
        }
        failures.rethrow();
    }

    /** A checksum of what each small case leaves, by the case's name. */
    protected final Map<String, String> checksums(Backend on) {
        Map<String, String> checksums = new LinkedHashMap<>();
        for (OperationCase operation : SameBits.cases()) {
            checksums.put(operation.toString(), checksum(on, operation));
        }
        return checksums;
    }

    static List<OperationCase> allCases() {
        List<OperationCase> cases = new ArrayList<>();
        cases.addAll(MovingCases.zero());
        cases.addAll(MovingCases.copy());
        cases.addAll(MovingCases.add());
        cases.addAll(MovingCases.addAll());
        cases.addAll(MatrixCases.matmul());
        cases.addAll(MatrixCases.sumRows());
        cases.addAll(MovingCases.embedding());
        cases.addAll(NormCases.all());
        cases.addAll(LlamaCases.all());
        cases.addAll(AttentionCases.all());
        cases.addAll(LossCases.gelu());
        cases.addAll(LossCases.crossEntropy());
        cases.addAll(VocabularyPartCases.embedding());
        cases.addAll(VocabularyPartCases.crossEntropy());
        cases.addAll(OptimizerCases.sum());
        cases.addAll(OptimizerCases.sumOfSquares());
        cases.addAll(OptimizerCases.adamW());
        return cases;
    }

    String checksum(Backend on, OperationCase operation) {
        return Long.toHexString(OperationCase.checksum(run(on, operation, operation.initial())));
    }

    private void checkAll(List<OperationCase> cases) {
        CaseFailures failures = new CaseFailures();
        for (OperationCase operation : cases) {
            if (operation.bytes() > mostBytes()) {
                continue;
            }
            failures.run(() -> {
                MemorySegment initial = operation.initial();
                Outcome first = run(backend, operation, initial);
                operation.verify(initial, operation.run(reference, OperationCase.copy(initial)), first);
                operation.verifySameBits(first, run(backend, operation, initial), "when run again");
            });
        }
        failures.rethrow();
    }

    private Outcome run(Backend on, OperationCase operation, MemorySegment initial) {
        try (DeviceMemory memory = on.allocate(initial.byteSize())) {
            return run(on, operation, initial, memory);
        }
    }

    private Outcome run(Backend on, OperationCase operation, MemorySegment initial, DeviceMemory memory) {
        upload(on, memory, initial);
        operation.run(on, memory.segment());
        on.synchronize();
        MemorySegment image = Arena.ofAuto().allocate(initial.byteSize(), TensorTable.ALIGNMENT);
        download(on, image, memory);
        return new Outcome(image);
    }
}
