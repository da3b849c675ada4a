package io.penstock.engine.training;

import static io.penstock.models.Recomputation.FULL;
import static io.penstock.models.Recomputation.NONE;
import static io.penstock.models.Recomputation.SELECTIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Recomputation;
import io.penstock.models.Work;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** Computing activations again gives the bits of keeping them, whatever is computed again, the stages and the schedule; and it holds less memory. */
@Timeout(300)
class SameBitsRecomputedTest {
    private static final Supplier<Backend> REFERENCE = ReferenceBackend::new;
    private static final Supplier<Backend> CPU = SameBitsRecomputedTest::cpu;

    /** Of embedding, three blocks and head. */
    private static final List<List<Recomputation>> CHOICES = List.of(
            List.of(NONE, SELECTIVE, SELECTIVE, SELECTIVE, NONE),
            List.of(NONE, FULL, FULL, FULL, NONE),
            List.of(NONE, FULL, NONE, SELECTIVE, NONE));

    private static Backend cpu() {
        return new CpuBackend(1);
    }

    private static TinyRun.Result run(
            ModelSpec model,
            String schedule,
            int ranks,
            DType compute,
            List<Recomputation> recomputation,
            Supplier<Backend> backends)
            throws Exception {
        return run(model, schedule, ranks, compute, Techniques.NONE.with(recomputation), backends);
    }

    private static TinyRun.Result run(
            ModelSpec model,
            String schedule,
            int ranks,
            DType compute,
            Techniques techniques,
            Supplier<Backend> backends)
            throws Exception {
        Plan plan = TinyRun.plan(model, schedule, ranks, compute, techniques, backends);
        InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(model, plan, backends, fabric::endpoint);
    }

    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfKeepingAll() throws Exception {
        ModelSpec model = TinyRun.model(true);
        List<DynamicTest> tests = new ArrayList<>();
        for (DType compute : List.of(DType.F32, DType.BF16)) {
            TinyRun.Result reference = run(model, "1f1b", 1, compute, List.of(), REFERENCE);
            TinyRun.Result cpu = run(model, "1f1b", 1, compute, List.of(), CPU);
            for (String schedule : Schedules.NAMES) {
                for (int ranks = 1; ranks * Schedules.defaultChunks(schedule) <= 5 && ranks <= 3; ranks++) {
                    int count = ranks;
                    for (List<Recomputation> choice : CHOICES) {
                        String name = schedule + " on " + count + " ranks in " + compute + ", " + choice;
                        tests.add(DynamicTest.dynamicTest(name, () -> {
                            assertEquals(cpu, run(model, schedule, count, compute, choice, CPU));
                            if (count == 2) {
                                assertEquals(reference, run(model, schedule, count, compute, choice, REFERENCE));
                            }
                        }));
                    }
                }
            }
        }
        return tests;
    }

    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfKeepingAllOnReplicas() throws Exception {
        ModelSpec model = TinyRun.model(true);
        Techniques alone = new Techniques(TinyRun.tree(1, 0), List.of());
        TinyRun.Result expected = run(model, "1f1b", 1, DType.BF16, alone, CPU);
        List<DynamicTest> tests = new ArrayList<>();
        for (String schedule : List.of("1f1b", "zb-h1")) {
            for (int zero = 0; zero <= 3; zero++) {
                int stage = zero;
                for (List<Recomputation> choice : CHOICES) {
                    Techniques shared = new Techniques(TinyRun.tree(2, stage), choice);
                    tests.add(DynamicTest.dynamicTest(
                            schedule + ", zero_stage " + stage + ", " + choice,
                            () -> assertEquals(expected, run(model, schedule, 2, DType.BF16, shared, CPU))));
                }
            }
        }
        return tests;
    }

    @Test
    void shouldRunTheWholeForwardOfABlockThatSaysNothing() throws Exception {
        ModelSpec model = TinyRun.model(true);
        ModelSpec plain = new ModelSpec(
                model.config(),
                model.embedding(),
                model.blocks().stream().<BlockSpec>map(PlainSpec::new).toList(),
                model.head());
        for (String schedule : List.of("1f1b", "zb-h1")) {
            TinyRun.Result expected = run(model, schedule, 2, DType.BF16, List.of(), CPU);
            for (List<Recomputation> choice : CHOICES) {
                assertEquals(expected, run(plain, schedule, 2, DType.BF16, choice, CPU), schedule + " " + choice);
            }
        }
    }

    @Test
    void shouldHoldLess() {
        ModelSpec model = TinyRun.model(true);
        for (String schedule : List.of("gpipe", "1f1b", "zb-h1")) {
            long[] bytes = new long[3];
            for (int i = 0; i < 3; i++) {
                List<Recomputation> choice = i == 0 ? List.of() : CHOICES.get(i - 1);
                Plan plan = TinyRun.plan(model, schedule, 2, DType.BF16, Techniques.NONE.with(choice), CPU);
                bytes[i] = plan.memory().get(0).totalBytes();
            }
            assertTrue(
                    bytes[1] < bytes[0] && bytes[2] < bytes[1],
                    schedule + ": " + List.of(bytes[0], bytes[1], bytes[2]));
        }
    }

    /** A block as a user brings it: it keeps nothing in particular and has no recomputation of its own. */
    private record PlainSpec(BlockSpec whole) implements BlockSpec {
        @Override
        public String name() {
            return whole.name();
        }

        @Override
        public List<ParameterSpec> parameters() {
            return whole.parameters();
        }

        @Override
        public TensorTable saved(MicroBatchShape microBatch, DType compute) {
            return whole.saved(microBatch, compute);
        }

        @Override
        public TensorTable stash(MicroBatchShape microBatch, DType compute) {
            return whole.stash(microBatch, compute);
        }

        @Override
        public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
            return whole.work(phase, microBatch, compute);
        }

        @Override
        public Block<?, ?> bind(LayerContext context) {
            return plain(whole.bind(context));
        }

        private static <S, G> Block<S, G> plain(Block<S, G> block) {
            return new Block<>() {
                @Override
                public S saved(TensorSource slot) {
                    return block.saved(slot);
                }

                @Override
                public G stash(TensorSource slot) {
                    return block.stash(slot);
                }

                @Override
                public void forward(Tensor y_BTC, Tensor x_BTC, S saved) {
                    block.forward(y_BTC, x_BTC, saved);
                }

                @Override
                public void backwardInput(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, S saved, G stash) {
                    block.backwardInput(dx_BTC, dy_BTC, x_BTC, saved, stash);
                }

                @Override
                public void backwardWeight(Tensor dy_BTC, Tensor x_BTC, S saved, G stash) {
                    block.backwardWeight(dy_BTC, x_BTC, saved, stash);
                }
            };
        }
    }
}
