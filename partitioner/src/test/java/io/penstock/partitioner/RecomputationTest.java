package io.penstock.partitioner;

import static io.penstock.models.Recomputation.FULL;
import static io.penstock.models.Recomputation.NONE;
import static io.penstock.models.Recomputation.SELECTIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.Presets;
import io.penstock.models.Recomputation;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.schedule.InFlight;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What recomputation saves and costs in a plan, and which of it a plan chooses. GPT-2 124M in bf16, one sequence of 1024 tokens. */
class RecomputationTest {
    private static final ModelSpec GPT2 =
            new Gpt2Family().spec(Presets.find("gpt2-124m").orElseThrow());
    private static final MicroBatchShape SHAPE = new MicroBatchShape(1, 1024);
    private static final int LAYERS = GPT2.layers().size();
    private static final DeviceRates RATES = DeviceRates.cpu(DType.BF16);

    /** Two bytes an element: normed twice, attended, gelu, 7 C; four statistics a token and one a head, four bytes each. */
    private static final long CHEAP = 1024L * (2 * 7 * 768 + 4 * (4 + 12));

    /** qkv, residual and fc: 8 C. */
    private static final long PRODUCTS = 1024L * 2 * 8 * 768;

    private static Plan plan(Schedule schedule, List<Recomputation> recomputation) {
        return Planner.plan(GPT2, SHAPE, DType.BF16, schedule, Techniques.NONE.with(recomputation), RATES, 1 << 20);
    }

    private static List<Recomputation> blocks(Recomputation recomputation) {
        List<Recomputation> layers = new ArrayList<>(Collections.nCopies(LAYERS, recomputation));
        layers.set(0, NONE);
        layers.set(LAYERS - 1, NONE);
        return layers;
    }

    private static long bytes(Plan plan, int rank) {
        return plan.memory().get(rank).totalBytes();
    }

    @Test
    void shouldKeepProductsOnlyOrNothingButInputs() {
        Schedule schedule = Schedules.oneForwardOneBackward(1, 8, true);
        long all = bytes(plan(schedule, List.of()), 0);
        assertEquals(all, bytes(plan(schedule, blocks(NONE)), 0));
        // one slot of twelve blocks; the region that they share has room for one
        assertEquals(all - 11 * CHEAP, bytes(plan(schedule, blocks(SELECTIVE)), 0));
        assertEquals(all - 11 * (CHEAP + PRODUCTS), bytes(plan(schedule, blocks(FULL)), 0));
    }

    @Test
    void shouldKeepWhatIsRecomputedInTheStashWhereTheWeightGradientComesLater() {
        Schedule schedule = Schedules.zeroBubbleH1(4, 8, true);
        InFlight inFlight = InFlight.of(schedule);
        List<Plan.StageLayers> stages = plan(schedule, blocks(FULL)).stages();
        for (int rank = 0; rank < 4; rank++) {
            int blocks = stages.get(rank).count() - (rank % 3 == 0 ? 1 : 0);
            int region = blocks > 0 ? 1 : 0;
            int freed = blocks * (inFlight.activations(rank, 0) - inFlight.stashes(rank, 0)) - region;
            Plan kept = Planner.plan(GPT2, SHAPE, DType.BF16, schedule, Techniques.NONE, stages, 1 << 20);
            Plan full = plan(schedule, blocks(FULL));
            assertEquals(bytes(kept, rank) - freed * (CHEAP + PRODUCTS), bytes(full, rank), "rank " + rank);
        }
    }

    @Test
    void shouldTakeThePredictedShareOfTheForwardAgain() {
        double full = CostModel.recomputedShare(GPT2.blocks().get(0), FULL, SHAPE, DType.BF16);
        double selective = CostModel.recomputedShare(GPT2.blocks().get(0), SELECTIVE, SHAPE, DType.BF16);
        // the last of the four products, a third of their work, is left out
        assertTrue(full > 0.6 && full < 0.8, "full " + full);
        assertTrue(selective > 0.1 && selective < 0.4, "selective " + selective);
        Schedule schedule = Schedules.zeroBubbleH1(2, 8, true);
        for (List<Recomputation> recomputation : List.of(blocks(NONE), blocks(SELECTIVE), blocks(FULL))) {
            Plan plan = plan(schedule, recomputation);
            Timeline step = new PlanTimes(plan, GPT2, RATES, Link.FREE).simulate();
            double work = 8
                    * Arrays.stream(CostModel.layerCosts(GPT2, SHAPE, DType.BF16, plan.techniques(), RATES))
                            .sum();
            assertEquals(work, step.computeSeconds(0) + step.computeSeconds(1), 1e-9 * work);
        }
    }

    @Test
    void shouldDrawTheMemoryThatItHolds() {
        Schedule schedule = Schedules.zeroBubbleH1(2, 8, true);
        for (List<Recomputation> recomputation : List.of(blocks(NONE), blocks(SELECTIVE), blocks(FULL))) {
            Plan plan = plan(schedule, recomputation);
            Timeline step = new PlanTimes(plan, GPT2, RATES, Link.FREE).simulate();
            List<List<MemoryCurve.Point>> curves = new PlanHoldings(plan).curves(step);
            assertEquals(
                    (double) bytes(plan, 0), MemoryCurve.peak(curves.get(0)).bytes());
        }
    }

    @Test
    void shouldRecomputeNothingWhereAllFits() {
        Plan plan = RecomputationChoice.fit(
                GPT2, Long.MAX_VALUE, r -> plan(Schedules.oneForwardOneBackward(2, 8, true), r));
        assertEquals(Collections.nCopies(LAYERS, NONE), plan.techniques().recomputation());
    }

    @Test
    void shouldChooseTheCheapestThatFits() {
        Schedule schedule = Schedules.oneForwardOneBackward(1, 8, true);
        long most = bytes(plan(schedule, List.of()), 0);
        long least = bytes(plan(schedule, blocks(FULL)), 0);
        for (int part = 1; part < 8; part++) {
            long limit = least + (most - least) * part / 8;
            Plan chosen = RecomputationChoice.fit(GPT2, limit, r -> plan(schedule, r));
            assertTrue(bytes(chosen, 0) <= limit, bytes(chosen, 0) + " bytes, " + limit + " allowed");
            assertEquals(cheapest(schedule, limit), seconds(chosen), 1e-12, part + " eighths");
        }
    }

    /** Of all numbers of blocks that are recomputed fully and selectively. */
    private static double cheapest(Schedule schedule, long limit) {
        double cheapest = Double.POSITIVE_INFINITY;
        for (int full = 0; full <= LAYERS - 2; full++) {
            for (int selective = 0; full + selective <= LAYERS - 2; selective++) {
                List<Recomputation> tried = blocks(NONE);
                Collections.fill(tried.subList(1, 1 + full), FULL);
                Collections.fill(tried.subList(1 + full, 1 + full + selective), SELECTIVE);
                Plan plan = plan(schedule, tried);
                cheapest = bytes(plan, 0) <= limit ? Math.min(cheapest, seconds(plan)) : cheapest;
            }
        }
        return cheapest;
    }

    private static double seconds(Plan plan) {
        double seconds = 0;
        for (int layer = 0; layer < LAYERS; layer++) {
            seconds += CostModel.recomputationSeconds(
                    GPT2.layers().get(layer), plan.techniques().recomputation(layer), SHAPE, DType.BF16, RATES);
        }
        return seconds;
    }

    @Test
    void shouldRecomputeMoreWhereMoreIsHeld() {
        Schedule schedule = Schedules.oneForwardOneBackward(4, 8, true);
        long[] all = plan(schedule, List.of()).memory().stream()
                .mapToLong(RankMemory::totalBytes)
                .toArray();
        long limit = Arrays.stream(all).max().orElseThrow() - (200L << 20);
        Plan plan = RecomputationChoice.fit(GPT2, limit, r -> plan(schedule, r));
        for (int rank = 0; rank < 4; rank++) {
            assertTrue(bytes(plan, rank) <= limit, "rank " + rank + ": " + bytes(plan, rank) + " of " + limit);
        }
        assertTrue(
                plan.techniques().recomputation().contains(NONE),
                plan.techniques().toString());
        assertTrue(recomputed(plan, 0) > recomputed(plan, 2), plan.techniques() + " " + plan.stages());
    }

    private static long recomputed(Plan plan, int stage) {
        Plan.StageLayers held = plan.stages().get(stage);
        return plan.techniques().recomputation(held.from(), held.to()).stream()
                .filter(r -> r != NONE)
                .count();
    }

    @Test
    void shouldGiveTheLeanestPlanWhereNoneFits() {
        Schedule schedule = Schedules.oneForwardOneBackward(2, 8, true);
        Plan plan = RecomputationChoice.fit(GPT2, 1, r -> plan(schedule, r));
        assertEquals(blocks(FULL), plan.techniques().recomputation());
    }

    @Test
    void shouldComeToTheSamePlanFromItsChoice() {
        Schedule schedule = Schedules.oneForwardOneBackward(3, 8, true);
        long limit = bytes(plan(schedule, List.of()), 0) - (100L << 20);
        Plan plan = RecomputationChoice.fit(GPT2, limit, r -> plan(schedule, r));
        Plan again = plan(schedule, plan.techniques().recomputation());
        assertEquals(plan.stages(), again.stages());
        assertEquals(
                plan.memory().stream().map(RankMemory::totalBytes).toList(),
                again.memory().stream().map(RankMemory::totalBytes).toList());
    }
}
