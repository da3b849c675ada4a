package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
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

/** The first promise: loss and weights are bit for bit those of one rank, whatever the stages and the schedule. */
@Timeout(300)
class SameBitsTest {
    private static final Supplier<Backend> REFERENCE = ReferenceBackend::new;

    private static TinyRun.Result run(boolean tied, String schedule, int ranks, DType compute) throws Exception {
        ModelSpec model = TinyRun.model(tied);
        Plan plan = TinyRun.plan(model, schedule, ranks, compute, Techniques.NONE, REFERENCE);
        InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(model, plan, REFERENCE, fabric::endpoint);
    }

    @TestFactory
    Iterable<DynamicTest> shouldComeToTheBitsOfOneRank() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (DType compute : new DType[] {DType.F32, DType.BF16}) {
            TinyRun.Result expected = run(true, "1f1b", 1, compute);
            for (String schedule : Schedules.NAMES) {
                for (int ranks = 1; ranks <= 4; ranks++) {
                    int count = ranks;
                    if (count * Schedules.defaultChunks(schedule) <= 5) {
                        tests.add(DynamicTest.dynamicTest(
                                schedule + " on " + count + " ranks in " + compute,
                                () -> assertEquals(expected, run(true, schedule, count, compute))));
                    }
                }
            }
        }
        return tests;
    }

    /** With steps that overflow and are left out before others train. */
    @Test
    void shouldComeToTheBitsOfOneRankInF16() throws Exception {
        TinyRun.Result expected = run(true, "1f1b", 1, DType.F16);
        List<Boolean> updates = expected.norms().stream()
                .map(bits -> Double.isFinite(Double.longBitsToDouble(bits)))
                .toList();
        assertFalse(updates.getFirst(), updates.toString());
        assertTrue(updates.getLast(), updates.toString());
        assertEquals(expected, run(true, "gpipe", 2, DType.F16));
        assertEquals(expected, run(true, "zb-h1", 4, DType.F16));
        assertEquals(expected, run(true, "zb-v", 2, DType.F16));
    }

    @Test
    void shouldComeToTheSameBitsUntied() throws Exception {
        assertEquals(run(false, "1f1b", 1, DType.F32), run(false, "1f1b", 3, DType.F32));
    }

    @Test
    void shouldLearn() throws Exception {
        TinyRun.Result result = run(true, "1f1b", 2, DType.F32);
        double first = Double.longBitsToDouble(result.losses().getFirst());
        double last = Double.longBitsToDouble(result.losses().getLast());
        assertTrue(last < first, "loss went from " + first + " to " + last);
    }
}
