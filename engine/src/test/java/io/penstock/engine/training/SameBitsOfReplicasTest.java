package io.penstock.engine.training;

import static io.penstock.models.Recomputation.FULL;
import static io.penstock.models.Recomputation.NONE;
import static io.penstock.models.Recomputation.SELECTIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.tensor.reference.ReferenceBackend;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * Data parallelism and ZeRO with every schedule and recomputation: after five steps losses, norms and weights are bit for bit those of one rank that adds its gradients in the
 * same tree.
 */
@Timeout(600)
class SameBitsOfReplicasTest {
    private static final ModelSpec MODEL = TinyRun.model(true);
    private static final int RANDOM_LAYOUTS = 12;
    private static final int MOST_STAGES = 5;

    /** Of embedding, three blocks and head. */
    private static final List<List<Recomputation>> RECOMPUTATION =
            List.of(List.of(), List.of(NONE, FULL, SELECTIVE, FULL, NONE));

    private static final List<Offloading> OFFLOADING = List.of(
            Offloading.NONE,
            Offloading.OPTIMIZER,
            Offloading.PARAMETERS,
            Offloading.ACTIVATIONS,
            Offloading.PARAMETERS.and(Offloading.ACTIVATIONS));

    private final Map<DType, TinyRun.Result> expected = new EnumMap<>(DType.class);

    private record Layout(
            String schedule,
            int pipeline,
            int data,
            int zeroStage,
            List<Recomputation> recomputation,
            Offloading offloading,
            DType compute) {
        boolean possible() {
            if (offloading.ofParameters()) {
                return zeroStage == 3 && pipeline * Schedules.defaultChunks(schedule) <= MOST_STAGES;
            }
            return pipeline * Schedules.defaultChunks(schedule) <= MOST_STAGES && (zeroStage == 0 || data > 1);
        }

        TinyRun.Result run(Supplier<Backend> backends) throws Exception {
            Techniques techniques = new Techniques(TinyRun.tree(data, zeroStage), recomputation, offloading);
            Plan plan = TinyRun.plan(MODEL, schedule, pipeline, compute, techniques, backends);
            InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
            return TinyRun.run(MODEL, plan, backends, fabric::endpoint);
        }
    }

    private TinyRun.Result expected(DType compute) throws Exception {
        TinyRun.Result result = expected.get(compute);
        if (result == null) {
            result = new Layout("1f1b", 1, 1, 0, List.of(), Offloading.NONE, compute).run(ReferenceBackend::new);
            expected.put(compute, result);
        }
        return result;
    }

    private DynamicTest test(Layout layout) {
        return DynamicTest.dynamicTest(
                layout.toString(), () -> assertEquals(expected(layout.compute()), layout.run(ReferenceBackend::new)));
    }

    private static List<Layout> all() {
        List<Layout> layouts = new ArrayList<>();
        for (DType compute : List.of(DType.F32, DType.BF16)) {
            for (String schedule : Schedules.NAMES) {
                for (int pipeline = 1; pipeline <= 4; pipeline++) {
                    for (int data = 1; data <= 4; data *= 2) {
                        for (int zero = 0; zero <= 3; zero++) {
                            for (List<Recomputation> recomputation : RECOMPUTATION) {
                                for (Offloading offloading : OFFLOADING) {
                                    layouts.add(new Layout(
                                            schedule, pipeline, data, zero, recomputation, offloading, compute));
                                }
                            }
                        }
                    }
                }
            }
        }
        return layouts.stream().filter(Layout::possible).toList();
    }

    /** Every schedule with every ZeRO stage, and four replicas of two stages. */
    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRank() {
        return all().stream()
                .filter(l -> l.recomputation().isEmpty() && l.pipeline() == 2 && l.compute() == DType.BF16)
                .filter(l -> l.offloading().equals(Offloading.NONE))
                .filter(l -> l.data() == 2 || (l.data() == 4 && l.schedule().equals("zb-h1")))
                .map(this::test)
                .toList();
    }

    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRankWithStatesElsewhere() {
        return all().stream()
                .filter(l -> l.recomputation().isEmpty() && l.schedule().equals("1f1b") && l.pipeline() == 2)
                .filter(l -> !l.offloading().equals(Offloading.NONE) && (l.data() == 1 || l.zeroStage() == 3))
                .map(this::test)
                .toList();
    }

    /** Every schedule, at its most micro-batches in flight, with nothing and with some of it recomputed. */
    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRankWithActivationsElsewhere() {
        return all().stream()
                .filter(l -> l.offloading().equals(Offloading.ACTIVATIONS) && l.zeroStage() == 0 && l.data() == 1)
                .filter(l -> l.pipeline() == (Schedules.defaultChunks(l.schedule()) == 1 ? 4 : 2))
                .filter(l -> l.compute() == (l.recomputation().isEmpty() ? DType.F32 : DType.BF16))
                .map(this::test)
                .toList();
    }

    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRankOnRandomLayouts() {
        long seed = System.nanoTime();
        System.out.println("random layouts of seed " + seed);
        Random random = new Random(seed);
        List<Layout> all = new ArrayList<>(all());
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < RANDOM_LAYOUTS; i++) {
            tests.add(test(all.remove(random.nextInt(all.size()))));
        }
        return tests;
    }

    @Tag("slow")
    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRankOnEveryLayout() {
        return all().stream().map(this::test).toList();
    }

    /** Steps that overflow are left out on every replica, whatever of the states it holds. */
    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRankInF16() {
        return List.of(
                        new Layout("1f1b", 1, 2, 0, List.of(), Offloading.NONE, DType.F16),
                        new Layout("zb-h1", 2, 2, 1, List.of(), Offloading.NONE, DType.F16),
                        new Layout("1f1b", 1, 4, 2, RECOMPUTATION.getLast(), Offloading.NONE, DType.F16),
                        new Layout("zb-h1", 2, 2, 3, RECOMPUTATION.getLast(), Offloading.PARAMETERS, DType.F16))
                .stream()
                .map(this::test)
                .toList();
    }

    /** The fast kernels too, with another number of threads. */
    @Test
    void shouldComeToTheBitsOfOneRankOnTheCpu() throws Exception {
        Layout one = new Layout("1f1b", 1, 1, 0, List.of(), Offloading.NONE, DType.BF16);
        Layout many = new Layout("zb-h1", 2, 2, 3, RECOMPUTATION.getLast(), Offloading.PARAMETERS, DType.BF16);
        assertEquals(one.run(() -> new CpuBackend(2)), many.run(() -> new CpuBackend(1)));
    }

    @Test
    void shouldComeToTheSameBitsWhereReplicasSumOnceAStep() throws Exception {
        assertEquals(summedOnce(1, 0), summedOnce(2, 1));
    }

    private static TinyRun.Result summedOnce(int data, int zeroStage) throws Exception {
        Techniques techniques = new Techniques(new Sharding(data, zeroStage, 2, 0, 2), List.of());
        Plan plan = TinyRun.plan(MODEL, "1f1b", 2, DType.F32, techniques, ReferenceBackend::new);
        InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(MODEL, plan, ReferenceBackend::new, fabric::endpoint);
    }
}
