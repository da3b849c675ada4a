package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.ScheduleText;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.reference.ReferenceBackend;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A user's own order and split come to the bits of one rank, and hold the memory that is planned for them ({@link TinyRun} compares both). */
@Timeout(300)
final class GivenScheduleTest {
    private static final ModelSpec MODEL = TinyRun.model(true);

    private static TinyRun.Result run(Plan plan) throws Exception {
        InMemoryFabric fabric = new InMemoryFabric(plan.schedule().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(MODEL, plan, ReferenceBackend::new, fabric::endpoint);
    }

    private static Plan plan(String text, String split) {
        List<StageLayers> stages = new ArrayList<>();
        int from = 0;
        for (String layers : split.split(" ", -1)) {
            stages.add(new StageLayers(from, from + Integer.parseInt(layers)));
            from += Integer.parseInt(layers);
        }
        try (Backend backend = new ReferenceBackend()) {
            return Planner.plan(
                    MODEL,
                    TinyRun.SHAPE,
                    DType.F32,
                    ScheduleText.parse(text.replace('/', '\n'), true),
                    Techniques.NONE,
                    stages,
                    backend.workspaceBytes());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            value = {
                // Forwards out of order and with gaps, on one rank halves of backwards.
                "micro-batches: 6/stages 0: F0 F2 F1 B0 F3 B1 B2 F4 F5 B3 B4 B5/stages 1: F0 B0 F2 F1 B1 B2 F3 I3 F4 I4 W3 W4 F5 B5 | 2 3",
                // Micro-batches 0, 1 and 3 are held at once: four slots, not three.
                "micro-batches: 6/stages 0: F0 F1 F3 I0 I1 W0 W1 F2 B2 B3 F5 F4 I4 I5 W4 W5/stages 1: F0 F1 I0 I1 W0 W1 F3 F2 B2 B3 F5 F4 I4 W4 B5 | 1 4",
                // Chunks that lie neither in a loop nor in a V.
                "micro-batches: 6/stages 1 2: F0 F0.1 B0.1 B0 F1 F1.1 B1.1 B1 F2 F2.1 B2.1 B2 F3 F3.1 B3.1 B3 F4 F4.1 B4.1 B4 F5 F5.1 B5.1 B5/stages 3 0: F0.1 F0 B0 B0.1 F1.1 F1 B1 B1.1 F2.1 F2 B2 B2.1 F3.1 F3 B3 B3.1 F4.1 F4 B4 B4.1 F5.1 F5 B5 B5.1 | 1 2 1 1"
            })
    void shouldComeToTheBitsOfOneRank(String text, String split) throws Exception {
        Plan alone = plan("micro-batches: 6/stages 0: F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5", "5");
        assertEquals(run(alone), run(plan(text, split)));
    }
}
