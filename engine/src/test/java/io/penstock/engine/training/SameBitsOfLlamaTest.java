package io.penstock.engine.training;

import static io.penstock.models.Recomputation.FULL;
import static io.penstock.models.Recomputation.NONE;
import static io.penstock.models.Recomputation.SELECTIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.models.llama.LlamaFamily;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The first promise for a Llama: the bits of one rank over stages, replicas, ZeRO, recomputation and offload of states and activations. */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SameBitsOfLlamaTest {
    private static final ModelSpec MODEL =
            new LlamaFamily().spec(new ModelConfig("llama", 3, 24, 6, 40, 16, 61, 1e-5f, false, 0.02, 2, 10_000));

    private TinyRun.Result expected = new TinyRun.Result(List.of(), List.of(), Map.of());

    private static Backend backend() {
        return new CpuBackend(1);
    }

    private static TinyRun.Result run(String schedule, int pipeline, DType compute, Techniques techniques)
            throws Exception {
        Plan plan = TinyRun.plan(MODEL, schedule, pipeline, compute, techniques, SameBitsOfLlamaTest::backend);
        InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(MODEL, plan, SameBitsOfLlamaTest::backend, fabric::endpoint);
    }

    @BeforeAll
    void runOneRank() throws Exception {
        expected = run("1f1b", 1, DType.BF16, new Techniques(TinyRun.tree(1, 0), List.of(), Offloading.NONE));
        double first = Double.longBitsToDouble(expected.losses().getFirst());
        double last = Double.longBitsToDouble(expected.losses().getLast());
        assertTrue(last < first, "loss went from " + first + " to " + last);
    }

    /** What lies elsewhere. */
    enum Elsewhere {
        NOTHING,
        PARAMETERS,
        ACTIVATIONS,
        ALL;

        Offloading offloading() {
            return switch (this) {
                case NOTHING -> Offloading.NONE;
                case PARAMETERS -> Offloading.PARAMETERS;
                case ACTIVATIONS -> Offloading.ACTIVATIONS;
                case ALL -> Offloading.PARAMETERS.and(Offloading.ACTIVATIONS);
            };
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1f1b, 3, 1, 0, NONE, NOTHING",
        "zb-h1, 2, 1, 0, NONE, NOTHING",
        "zb-v, 2, 1, 0, SELECTIVE, NOTHING",
        "interleaved-1f1b, 2, 1, 0, FULL, NOTHING",
        "1f1b, 2, 2, 1, NONE, NOTHING",
        "zb-h1, 2, 2, 3, SELECTIVE, NOTHING",
        "1f1b, 1, 2, 3, FULL, PARAMETERS",
        "gpipe, 2, 1, 0, NONE, ACTIVATIONS",
        "zb-v, 2, 1, 0, SELECTIVE, ACTIVATIONS",
        "gpipe, 2, 2, 3, FULL, ALL"
    })
    void shouldComeToTheBitsOfOneRank(
            String schedule, int pipeline, int data, int zero, Recomputation again, Elsewhere elsewhere)
            throws Exception {
        List<Recomputation> recomputation = List.of(NONE, again, again == FULL ? SELECTIVE : again, again, NONE);
        var techniques = new Techniques(TinyRun.tree(data, zero), recomputation, elsewhere.offloading());
        assertEquals(expected, run(schedule, pipeline, DType.BF16, techniques));
    }

    @Test
    void shouldComeToTheBitsOfOneRankInF16() throws Exception {
        TinyRun.Result one = run("1f1b", 1, DType.F16, new Techniques(TinyRun.tree(1, 0), List.of(), Offloading.NONE));
        assertTrue(Double.isFinite(Double.longBitsToDouble(one.norms().getLast())), "every step overflows");
        List<Recomputation> again = List.of(NONE, FULL, SELECTIVE, FULL, NONE);
        assertEquals(one, run("zb-h1", 2, DType.F16, new Techniques(TinyRun.tree(2, 3), again, Offloading.NONE)));
    }
}
