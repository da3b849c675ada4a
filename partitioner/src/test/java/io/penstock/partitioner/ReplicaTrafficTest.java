package io.penstock.partitioner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What replicas send each other, against what ZeRO says (Rajbhandari et al. 2020, section 7). */
class ReplicaTrafficTest {
    /** Sizes that segments divide without padding, untied: 4 blocks of 12 C^2 + 13 C. */
    private static final ModelSpec MODEL =
            new Gpt2Family().spec(new ModelConfig("gpt2", 4, 64, 4, 256, 32, 128, 1e-5f, false, 0.02));

    private static final int MICRO_BATCHES = 4;

    private static Plan plan(int data, int zero) {
        Techniques techniques =
                new Techniques(new Sharding(data, zero, data, zero >= 2 && data > 1 ? 1 : 0, 2), List.of());
        return Planner.plan(
                MODEL,
                new MicroBatchShape(1, 16),
                DType.BF16,
                Schedules.gpipe(1, MICRO_BATCHES, false),
                techniques,
                DeviceRates.cpu(DType.BF16),
                0);
    }

    private static long leaves(Plan plan) {
        return plan.schedule().instructions().get(0).stream()
                .filter(Instruction.ReduceGradients.class::isInstance)
                .count();
    }

    private static double parameters() {
        return (double) MODEL.parameterCount();
    }

    @Test
    void shouldSendNothingAlone() {
        ReplicaTraffic traffic = new ReplicaTraffic(plan(1, 0), MODEL);
        assertEquals(0, traffic.reducedBytes(0, 0));
        assertEquals(0, traffic.finalBytes(0));
    }

    @Test
    void shouldScatterGradientsAndGatherWhatIsUpdated() {
        ReplicaTraffic whole = new ReplicaTraffic(plan(2, 0), MODEL);
        assertEquals(4 * parameters() / 2, whole.reducedBytes(0, 0), 0.03 * parameters());
        assertEquals(4 * parameters() / 2, whole.finalBytes(0), 0.03 * parameters());
        // Values of matrices have 2 bytes, vectors 4.
        ReplicaTraffic sharded = new ReplicaTraffic(plan(2, 1), MODEL);
        assertEquals(2 * parameters() / 2, sharded.finalBytes(0), 0.06 * parameters());
        assertEquals(whole.reducedBytes(0, 0), sharded.reducedBytes(0, 0));
        ReplicaTraffic ofFour = new ReplicaTraffic(plan(4, 0), MODEL);
        assertEquals(1.5, ofFour.reducedBytes(0, 0) / whole.reducedBytes(0, 0), 0.02, "(d - 1) / d");
    }

    @Test
    void shouldGatherParametersForEveryComputationWithFewerWindowsThanBlocks() {
        ReplicaTraffic traffic = new ReplicaTraffic(plan(2, 3), MODEL);
        double matricesOfBlocks = 4.0 * 12 * 64 * 64;
        assertEquals(2 * matricesOfBlocks / 2, traffic.regatheredBytes(0, 0), 0.01 * matricesOfBlocks);
        assertEquals(0, traffic.gatheredBytes(0, 0));
        assertEquals(0, new ReplicaTraffic(plan(2, 1), MODEL).regatheredBytes(0, 0));
    }

    @Test
    void shouldReduceOnceAStepOrOnceAMicroBatch() {
        assertEquals(1, leaves(plan(2, 0)));
        assertEquals(1, leaves(plan(2, 1)));
        assertEquals(MICRO_BATCHES, leaves(plan(2, 2)));
    }

    @Test
    void shouldTakeTheTimeOfItsBytes() {
        double before = 0;
        for (int zero = 0; zero <= 3; zero++) {
            Plan plan = plan(2, zero);
            double seconds = times(plan, 1e6).seconds()
                    - times(plan, Double.POSITIVE_INFINITY).seconds();
            ReplicaTraffic traffic = new ReplicaTraffic(plan, MODEL);
            double bytes = leaves(plan) * traffic.reducedBytes(0, 0)
                    + traffic.finalBytes(0)
                    + 2 * MICRO_BATCHES * traffic.regatheredBytes(0, 0);
            assertEquals(bytes / 1e6, seconds, 1e-6 * seconds, "zero " + zero);
            assertTrue(zero != 3 || seconds > before, "ZeRO-3 sends more than ZeRO-2");
            before = seconds;
        }
    }

    private static Timeline times(Plan plan, double bytesPerSecond) {
        DeviceRates rates = DeviceRates.cpu(DType.BF16);
        return new PlanTimes(
                        plan,
                        MODEL,
                        CostModel.rated(plan.microBatch(), plan.compute(), rates),
                        rates.memoryBytesPerSecond(),
                        Link.FREE,
                        0,
                        bytesPerSecond,
                        PlanTimes.Stores.FREE)
                .simulate();
    }
}
