package io.penstock.models.llama;

import static io.penstock.tensor.DType.BF16;
import static io.penstock.tensor.DType.F32;
import static io.penstock.tensor.DType.F64;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.Block;
import io.penstock.models.IdleBackend;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerMemory;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.Recomputation;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.Write;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A block of four query heads that share two of keys and values. */
final class LlamaBlockTest {
    private static final ModelConfig CONFIG =
            new ModelConfig("llama", 1, 24, 4, 20, 16, 29, 1e-5f, false, 0.02, 2, 100);
    private static final MicroBatchShape MICRO_BATCH = new MicroBatchShape(2, 7);
    private static final LlamaShard SHARD = LlamaShard.whole(CONFIG);
    private static final LlamaBlockSpec SPEC = new LlamaBlockSpec(SHARD, 0);

    private final Backend backend = new ReferenceBackend();

    /** One block bound in one compute type, with an input and an output gradient. */
    private static final class Bound {
        final LayerMemory memory;
        final Block<LlamaBlock.Saved, LlamaBlock.Stash> block;
        final LlamaBlock.Saved saved;
        final LlamaBlock.Stash stash;
        final Tensor x;
        final Tensor y;
        final Tensor dx;
        final Tensor dy;

        @SuppressWarnings("unchecked")
        Bound(Backend backend, DType compute) {
            memory = new LayerMemory(SPEC, compute, 11);
            block = (Block<LlamaBlock.Saved, LlamaBlock.Stash>)
                    SPEC.bind(LayerContext.whole(backend, memory, MICRO_BATCH, compute));
            saved = block.saved(LayerMemory.carve(SPEC.saved(MICRO_BATCH, compute)));
            stash = block.stash(LayerMemory.carve(SPEC.stash(MICRO_BATCH, compute)));
            x = TestTensors.random(1, compute, 2, 7, 24);
            y = TestTensors.zeros(compute, 2, 7, 24);
            dx = TestTensors.zeros(compute, 2, 7, 24);
            dy = TestTensors.random(2, compute, 2, 7, 24);
        }

        void forwardBackward() {
            block.forward(y, x, saved);
            block.backwardInput(dx, dy, x, saved, stash);
            block.backwardWeight(dy, x, saved, stash);
        }
    }

    @Test
    void shouldDifferentiateTheBlock() {
        Bound bound = new Bound(backend, F64);
        bound.forwardBackward();
        GradientCheck check = GradientCheck.of("block", () -> {
                    bound.block.forward(bound.y, bound.x, bound.saved);
                    return LayerMemory.weightedSum(bound.y, bound.dy);
                })
                .gradient("x", bound.x, bound.dx);
        bound.memory.parameters().forEach((name, p) -> check.gradient(name, p.value(), p.gradient()));
        check.check(1e-8);
    }

    @Test
    void shouldHaveTheSameBitsWhenWeightGradientsComeLater() {
        splitLikeFused(backend);
        try (Backend cpu = new CpuBackend(2)) {
            splitLikeFused(cpu);
        }
    }

    private static void splitLikeFused(Backend backend) {
        Bound fused = new Bound(backend, BF16);
        Bound split = new Bound(backend, BF16);
        fused.forwardBackward();
        split.block.forward(split.y, split.x, split.saved);
        split.block.backwardInput(split.dx, split.dy, split.x, split.saved, split.stash);
        // another micro-batch passes between, in a slot and a stash of its own
        var otherSaved = split.block.saved(LayerMemory.carve(SPEC.saved(MICRO_BATCH, BF16)));
        Tensor otherX = TestTensors.random(9, BF16, 2, 7, 24);
        split.block.forward(TestTensors.zeros(BF16, 2, 7, 24), otherX, otherSaved);
        split.block.backwardWeight(split.dy, split.x, split.saved, split.stash);
        assertArrayEquals(TestTensors.values(fused.dx), TestTensors.values(split.dx));
        fused.memory.parameters().forEach((name, p) -> {
            Tensor later = split.memory.get(name).gradient();
            assertArrayEquals(TestTensors.values(p.gradient()), TestTensors.values(later), name);
        });
    }

    @Test
    void shouldHaveTheSameBitsWhenComputedAgain() {
        for (DType compute : List.of(F32, BF16)) {
            for (Recomputation recomputation : List.of(Recomputation.SELECTIVE, Recomputation.FULL)) {
                againLikeKept(backend, compute, recomputation);
                try (Backend cpu = new CpuBackend(2)) {
                    againLikeKept(cpu, compute, recomputation);
                }
            }
        }
    }

    /** Everything that is not kept is garbage before it is computed again. */
    private static void againLikeKept(Backend backend, DType compute, Recomputation recomputation) {
        Bound kept = new Bound(backend, compute);
        TensorTable table = SPEC.saved(MICRO_BATCH, compute);
        var source = LayerMemory.carve(table);
        var garbage = LayerMemory.carve(table);
        Set<String> names = recomputation == Recomputation.FULL ? Set.of() : SPEC.keptSelectively();
        assertTrue(names.stream().allMatch(table::contains), names.toString());
        TensorSource mixed = name -> (names.contains(name) ? source : garbage).tensor(name);
        kept.block.forward(kept.y, kept.x, kept.block.saved(source));
        Map<String, double[]> expected = new HashMap<>();
        names(table).forEach(name -> expected.put(name, TestTensors.values(source.tensor(name))));
        kept.block.recompute(kept.dx, kept.x, kept.block.saved(mixed), recomputation);
        expected.forEach((name, values) ->
                assertArrayEquals(values, TestTensors.values(mixed.tensor(name)), recomputation + " " + name));
    }

    @Test
    void shouldRunNoMatrixProductAgainSelectively() {
        assertEquals(0, productsOf(Recomputation.SELECTIVE));
        assertEquals(6, productsOf(Recomputation.FULL));
    }

    private static int productsOf(Recomputation recomputation) {
        int[] products = {0};
        Backend idle = new IdleBackend() {
            @Override
            public void matmul(
                    Tensor c,
                    Tensor a,
                    boolean transposeA,
                    Tensor b,
                    boolean transposeB,
                    @Nullable Tensor bias,
                    Write write) {
                products[0]++;
            }
        };
        Bound bound = new Bound(idle, F32);
        bound.block.recompute(bound.y, bound.x, bound.saved, recomputation);
        return products[0];
    }

    @Test
    void shouldAccumulateGradientsOverMicroBatches() {
        Bound once = new Bound(backend, F64);
        Bound twice = new Bound(backend, F64);
        once.forwardBackward();
        twice.forwardBackward();
        twice.forwardBackward();
        once.memory.parameters().forEach((name, p) -> {
            Tensor sum = twice.memory.get(name).gradient();
            for (long i = 0; i < sum.elements(); i++) {
                assertEquals(2 * p.gradient().get(i), sum.get(i), 1e-12, name);
            }
        });
    }

    @Test
    void shouldStayNearDoubleInF32AndBf16() {
        Bound exact = new Bound(backend, F64);
        exact.forwardBackward();
        for (DType compute : List.of(F32, BF16)) {
            stayNear(backend, compute, exact);
            try (Backend cpu = new CpuBackend(2)) {
                stayNear(cpu, compute, exact);
            }
        }
    }

    private static void stayNear(Backend backend, DType compute, Bound exact) {
        // rounding of about ten chained tensors, relative to the largest value: 2^-24 and 2^-8 each
        double tolerance = compute == F32 ? 1e-5 : 0.06;
        Bound rounded = new Bound(backend, compute);
        rounded.forwardBackward();
        close(compute + " y", rounded.y, exact.y, tolerance);
        close(compute + " dx", rounded.dx, exact.dx, tolerance);
        exact.memory.parameters().forEach((name, p) -> {
            Tensor gradient = rounded.memory.get(name).gradient();
            close(compute + " gradient of " + name, gradient, p.gradient(), tolerance);
        });
    }

    private static void close(String name, Tensor actual, Tensor expected, double tolerance) {
        TestTensors.assertClose(name, actual, expected, 0, tolerance * TestTensors.maxAbs(expected));
    }

    @Test
    void shouldBindExactlyTheTensorsOfItsTables() {
        LayerMemory memory = new LayerMemory(SPEC, F32, 1);
        Block<?, ?> block = SPEC.bind(LayerContext.whole(backend, memory, MICRO_BATCH, F32));
        var saved = LayerMemory.carve(SPEC.saved(MICRO_BATCH, F32));
        var stash = LayerMemory.carve(SPEC.stash(MICRO_BATCH, F32));
        block.saved(saved);
        block.stash(stash);
        assertEquals(names(SPEC.saved(MICRO_BATCH, F32)), saved.names());
        assertEquals(names(SPEC.stash(MICRO_BATCH, F32)), stash.names());
        assertEquals(memory.parameters().keySet(), memory.bound());
    }

    private static Set<String> names(TensorTable table) {
        Set<String> names = new HashSet<>();
        table.entries().forEach(entry -> names.add(entry.name()));
        return names;
    }
}
