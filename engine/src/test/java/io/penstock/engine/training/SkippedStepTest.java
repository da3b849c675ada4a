package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.execution.DivergedException;
import io.penstock.engine.optimizer.LossScale;
import io.penstock.engine.run.ScaledStep;
import io.penstock.engine.state.ParameterState;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A step of f16 whose gradients overflow leaves no trace but a smaller scale; one rank. */
@Timeout(60)
final class SkippedStepTest {
    /** Divided by the 208 tokens of a step it is far beyond 65504. */
    private static final LossScale.State TOO_LARGE = new LossScale.State(0x1p28, 7, 0);

    private static final ModelSpec MODEL = TinyRun.model(true);

    private final Backend backend = new CpuBackend(1);
    private final Endpoint endpoint = new InMemoryFabric(1, EndpointSettings.DEFAULT).endpoint(0);
    private final List<PipelineRank> ranks = new ArrayList<>();
    private PipelineRank rank = rank();

    private PipelineRank rank() {
        Plan plan = TinyRun.plan(MODEL, "1f1b", 1, DType.F16, () -> new CpuBackend(1));
        MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
        PipelineRank made =
                new PipelineRank(MODEL, plan, TinyRun.hyperparameters(), backend, ledger, endpoint, TinyRun.batches());
        ranks.add(made);
        made.initialize(1);
        return made;
    }

    @BeforeEach
    void startTooLarge() {
        rank.lossScale().resume(TOO_LARGE);
    }

    @AfterEach
    void close() {
        ranks.forEach(PipelineRank::close);
        endpoint.close();
        backend.close();
    }

    private static List<double[]> states(PipelineRank rank) {
        return rank.store().states().stream()
                .flatMap(state -> List.of(
                        state.master(),
                        state.firstMoment(),
                        state.secondMoment(),
                        state.value(),
                        state.gradient().total())
                        .stream())
                .map(TestTensors::values)
                .toList();
    }

    private static void assertSame(List<double[]> expected, List<double[]> found) {
        for (int i = 0; i < expected.size(); i++) {
            assertTrue(Arrays.equals(expected.get(i), found.get(i)), "tensor " + i);
        }
    }

    @Test
    void shouldLeaveWeightsMomentsAndGradientsAsTheyWere() {
        List<double[]> before = states(rank);
        rank.trainStep(0);
        assertSame(before, states(rank));
        assertEquals(Optional.of(new ScaledStep(0x1p28, true, 1)), rank.scaledStep());
        assertEquals(new LossScale.State(0x1p27, 0, 1), rank.lossScale().state());
        assertTrue(
                Double.isFinite(rank.loss()) && !Double.isFinite(rank.gradientNorm()),
                rank.loss() + " " + rank.gradientNorm());
    }

    /** From the good step on it is the run of one that never saw the bad ones, bias corrections too. */
    @Test
    void shouldGoOnAsIfTheStepHadNotBeen() {
        int step = 0;
        rank.trainStep(step++);
        while (rank.scaledStep().orElseThrow().skipped()) {
            rank.trainStep(step++);
        }
        assertTrue(step > 2 && step < 20, step + " steps");
        PipelineRank other = rank();
        other.lossScale().resume(new LossScale.State(rank.lossScale().factor(), 0, step - 1));
        other.trainStep(step - 1);
        assertEquals(other.gradientNorm(), rank.gradientNorm());
        other.trainStep(step);
        rank.trainStep(step);
        assertSame(states(other), states(rank));
        assertEquals(
                new LossScale.State(other.lossScale().factor(), 2, step - 1),
                rank.lossScale().state());
    }

    /** The first update that counts moves a parameter that does not decay by the learning rate: a bias correction that took skipped steps in would make it half of that. */
    @Test
    void shouldCorrectTheBiasOfUpdatesAlone() {
        rank.lossScale().resume(new LossScale.State(0x1p10, 0, 4));
        ParameterState bias = rank.store().states().stream()
                .filter(state -> !state.spec().decayed())
                .findFirst()
                .orElseThrow();
        double[] before = TestTensors.values(bias.master());
        rank.trainStep(4);
        double[] after = TestTensors.values(bias.master());
        double furthest = 0;
        for (int i = 0; i < before.length; i++) {
            furthest = Math.max(furthest, Math.abs(after[i] - before[i]));
        }
        assertEquals(rank.learningRate(), furthest, 0.01 * rank.learningRate());
    }

    /** Powers of two round nothing but what is too small for f16: norms of different scales are equal or nearly. */
    @Test
    void shouldTakeTheScaleOutOfTheNorm() {
        PipelineRank small = rank();
        small.lossScale().resume(new LossScale.State(0x1p14, 0, 0));
        small.trainStep(0);
        PipelineRank large = rank();
        large.lossScale().resume(new LossScale.State(0x1p16, 0, 0));
        large.trainStep(0);
        assertEquals(small.loss(), large.loss());
        assertEquals(small.gradientNorm(), large.gradientNorm(), 1e-3 * small.gradientNorm());
    }

    @Test
    void shouldDivergeWhereNoScaleHelps() {
        ParameterState embedding = rank.store().states().getFirst();
        for (long i = 0; i < embedding.master().elements(); i++) {
            embedding.master().set(i, 1e6);
        }
        rank.valuesChanged();
        rank.lossScale().resume(new LossScale.State(2, 0, 5));
        rank.trainStep(0);
        assertEquals(new LossScale.State(1, 0, 6), rank.lossScale().state());
        DivergedException error = assertThrows(DivergedException.class, () -> rank.trainStep(1));
        assertTrue(
                String.valueOf(error.getMessage())
                        .contains("the loss scale of f16 at 1.0, its least being 1.0, and 6 steps skipped"),
                error.getMessage());
        assertNotEquals(0, rank.lossScale().skippedSteps());
    }
}
