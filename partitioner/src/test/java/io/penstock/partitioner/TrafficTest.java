package io.penstock.partitioner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.BlockSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The times of what a rank sends to its stores, and to those that share its layers. */
final class TrafficTest {
    private static final ModelConfig SHAPE = new ModelConfig("gpt2", 4, 64, 4, 256, 32, 128, 1e-5f, false, 0.02);
    private static final ModelSpec MODEL = new Gpt2Family().spec(SHAPE);
    private static final int MICRO_BATCHES = 4;
    private static final double RATE = 1e6;

    private static Plan plan(ModelSpec model, String schedule, Offloading offloading) {
        return Planner.plan(
                model,
                new MicroBatchShape(1, 16),
                DType.BF16,
                Schedules.create(schedule, 1, MICRO_BATCHES, 1, false),
                Techniques.NONE.with(offloading),
                DeviceRates.cpu(DType.BF16),
                0);
    }

    private static double seconds(Plan plan, PlanTimes.Stores stores) {
        DeviceRates rates = DeviceRates.cpu(DType.BF16);
        return new PlanTimes(
                        plan,
                        MODEL,
                        CostModel.rated(plan.microBatch(), plan.compute(), rates),
                        rates.memoryBytesPerSecond(),
                        Link.FREE,
                        0,
                        Double.POSITIVE_INFINITY,
                        stores)
                .simulate()
                .seconds();
    }

    /** What a backward in one piece takes is not what its halves do, and a schedule asks for the one or the other. */
    @Test
    void shouldTakeAPieceOrHalvesAsTheScheduleRunsThem() {
        for (String schedule : new String[] {"1f1b", "zb-h1"}) {
            Plan plan = plan(MODEL, schedule, Offloading.NONE);
            boolean split = plan.schedule().splitsBackward();
            assertEquals(schedule.equals("zb-h1"), split);
            double seconds = new PlanTimes(
                            plan,
                            MODEL,
                            layer -> new PhaseSeconds(1, 2, 3, 4),
                            Double.POSITIVE_INFINITY,
                            Link.FREE,
                            0,
                            Double.POSITIVE_INFINITY,
                            PlanTimes.Stores.FREE)
                    .simulate()
                    .seconds();
            double layers = (double) MICRO_BATCHES * MODEL.layers().size();
            assertEquals(layers * (split ? 6 : 5), seconds, 1e-9);
            assertEquals(split ? 6 : 5, new PhaseSeconds(1, 2, 3, 4).total(split));
        }
    }

    /** GPipe takes micro-batches back in their order: the last one too has left before its backward. */
    @Test
    void shouldTakeTheTimeOfWhatIsCarried() {
        Plan plan = plan(MODEL, "gpipe", Offloading.ACTIVATIONS);
        long slot = plan.memory().getFirst().offloadedSlots().bytes(0);
        assertEquals(MICRO_BATCHES * slot, plan.memory().getFirst().offloadedBytes());
        double free = seconds(plan, PlanTimes.Stores.FREE);
        double carried = 2.0 * MICRO_BATCHES * slot / RATE;
        assertEquals(free + carried, seconds(plan, new PlanTimes.Stores(RATE, false)), 1e-9 * carried);
        // An idle core carries while this one computes: what takes longer counts, and here carrying does.
        double beside = seconds(plan, new PlanTimes.Stores(RATE, true));
        assertTrue(beside < free + carried && beside >= carried, beside + " of " + carried);
    }

    @Test
    void shouldTakeTheTimeOfTheStatesOfAnUpdate() {
        Plan plan = plan(MODEL, "gpipe", Offloading.OPTIMIZER);
        double states = 2.0 * plan.memory().getFirst().store().totalBytes() / RATE;
        assertTrue(states > 0);
        assertEquals(
                seconds(plan, PlanTimes.Stores.FREE) + states,
                seconds(plan, new PlanTimes.Stores(RATE, true)),
                1e-9 * states);
    }

    /** Two all-reduces a block each way, or as many gathers and scatters of half the bytes each and those of weight gradients. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCountTheCollectivesOfATensorGroup(boolean sequenceParallel) {
        ModelSpec part = new Gpt2Family().spec(SHAPE, new TensorSplit(2, 0, sequenceParallel));
        Plan plan = plan(part, "1f1b", Offloading.NONE);
        TensorTraffic traffic = new TensorTraffic(plan, part, 0, RATE, Double.POSITIVE_INFINITY);
        double half = 16 * 64 * 2 / 2.0 / RATE;
        PhaseSeconds block = traffic.of(part.layers().stream()
                .filter(BlockSpec.class::isInstance)
                .findFirst()
                .orElseThrow());
        assertEquals(4 * half, block.forward(), 1e-12);
        assertEquals(4 * half, block.backwardInput(), 1e-12);
        assertEquals(sequenceParallel ? 2 * half : 0, block.backwardWeight(), 1e-12);
        TensorTraffic alone = new TensorTraffic(plan(MODEL, "1f1b", Offloading.NONE), MODEL, 1, RATE, RATE);
        assertEquals(0, alone.of(MODEL.layers().get(1)).total());
    }
}
