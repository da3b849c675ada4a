package io.penstock.jmh;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.offload.ShardStores;
import io.penstock.engine.offload.StoreSettings;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does an AdamW update of 128 M parameters cost when weights and moments lie in a store and are brought in and sent out tensor by tensor? The store's 1.5 GiB stay in the
 * kernel's page cache here and are written back to the disk meanwhile; gradient and working copy lie in memory. {@code -Djava.io.tmpdir} names the disk.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 4)
public class OffloadedAdamWBenchmark {
    private static final int TENSORS = 16;
    private static final int ELEMENTS = 8 << 20;

    private record Parameter(Tensor weight, Tensor m, Tensor v, Tensor gradient, Tensor working) {
        static Parameter of(OwnSide own, Tensor weight, Tensor m, Tensor v) {
            Shape shape = Shape.of(ELEMENTS);
            return new Parameter(weight, m, v, own.memory.zeros(DType.F32, shape), own.memory.zeros(DType.BF16, shape));
        }

        void update(OwnSide own) {
            own.backend.adamW(weight, m, v, gradient, working, 3e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 1);
        }
    }

    @State(Scope.Benchmark)
    public static class Memory {
        private OwnSide side;
        private final List<Parameter> parameters = new ArrayList<>();

        @Setup
        public void setup(OwnSide own) {
            side = own;
            Shape shape = Shape.of(ELEMENTS);
            for (int i = 0; i < TENSORS; i++) {
                parameters.add(Parameter.of(
                        own,
                        own.memory.zeros(DType.F32, shape),
                        own.memory.zeros(DType.F32, shape),
                        own.memory.zeros(DType.F32, shape)));
            }
        }
    }

    @State(Scope.Benchmark)
    public static class Stored {
        @Param({"FILES", "CHRONICLE_MAP", "HOST"})
        public OffloadStoreKind kind = OffloadStoreKind.FILES;

        private OwnSide side;
        private ShardStore store;
        private final List<Parameter> parameters = new ArrayList<>();

        @Setup
        public void setup(OwnSide own) {
            side = own;
            TensorTable.Builder table = TensorTable.builder();
            for (int i = 0; i < TENSORS; i++) {
                for (String state : List.of("master:", "m:", "v:")) {
                    table.add(state + i, DType.F32, Shape.of(ELEMENTS));
                }
            }
            Path directory = Path.of(System.getProperty("java.io.tmpdir"));
            store = ShardStores.open(kind, new StoreSettings(directory, 0), table.build());
            for (int i = 0; i < TENSORS; i++) {
                parameters.add(
                        Parameter.of(own, store.tensor("master:" + i), store.tensor("m:" + i), store.tensor("v:" + i)));
            }
        }

        @TearDown
        public void close() {
            store.close();
        }

        private void prefetch(Parameter parameter) {
            store.prefetch(parameter.weight());
            store.prefetch(parameter.m());
            store.prefetch(parameter.v());
        }

        private void acquire(Parameter parameter) {
            store.acquire(parameter.weight());
            store.acquire(parameter.m());
            store.acquire(parameter.v());
        }

        private void release(Parameter parameter) {
            store.release(parameter.weight());
            store.release(parameter.m());
            store.release(parameter.v());
        }
    }

    @Benchmark
    public void baseline(Memory memory) {
        memory.parameters.forEach(parameter -> parameter.update(memory.side));
    }

    @Benchmark
    public void store(Stored stored) {
        for (int i = 0; i < TENSORS; i++) {
            if (i + 1 < TENSORS) {
                stored.prefetch(stored.parameters.get(i + 1));
            }
            stored.acquire(stored.parameters.get(i));
            stored.parameters.get(i).update(stored.side);
            stored.release(stored.parameters.get(i));
        }
    }

    /** The store's states as plain memory: never brought in or sent out. What stays resident is bounded by the machine alone. */
    @Benchmark
    public void storeLeftResident(Stored stored) {
        stored.parameters.forEach(parameter -> parameter.update(stored.side));
    }
}
