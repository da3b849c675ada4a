package io.penstock.partitioner;

import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.memory.SavedTables;
import io.penstock.partitioner.memory.Slots;
import io.penstock.partitioner.schedule.InFlight;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * What to recompute where: on every pipeline rank the least seconds that bring it under the limit, by the number of its blocks that are recomputed fully and selectively. Ranks
 * that hold many micro-batches, the first ones of a pipeline, recompute more than others. Pure.
 */
public final class RecomputationChoice {
    private final ModelSpec model;
    private final Plan plan;
    private final InFlight inFlight;

    private RecomputationChoice(ModelSpec model, Plan plan) {
        this.model = model;
        this.plan = plan;
        this.inFlight = InFlight.of(plan.schedule());
    }

    /**
     * A plan whose every rank holds at most {@code limitBytes}, with nothing recomputed if that is enough; the leanest plan if none is.
     *
     * @param planner the plan with given recomputation of every layer; it may split the model otherwise for it
     */
    public static Plan fit(ModelSpec model, long limitBytes, Function<List<Recomputation>, Plan> planner) {
        List<Recomputation> chosen = Collections.nCopies(model.layers().size(), Recomputation.NONE);
        while (true) {
            Plan plan = planner.apply(chosen);
            // What one split needs stays when the next one needs more elsewhere: so this ends.
            List<Recomputation> more = new RecomputationChoice(model, plan).choose(limitBytes);
            if (more.equals(chosen)) {
                return plan;
            }
            chosen = more;
        }
    }

    private List<Recomputation> choose(long limitBytes) {
        List<Recomputation> chosen = new ArrayList<>();
        for (int layer = 0; layer < model.layers().size(); layer++) {
            chosen.add(plan.techniques().recomputation(layer));
        }
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            long over = plan.memory().get(rank).totalBytes() - limitBytes;
            if (over > 0) {
                relieve(blocks(rank), over, chosen);
            }
        }
        return chosen;
    }

    /**
     * What a block costs under one recomputation.
     *
     * @param slotBytes of the rank's slots
     * @param regionBytes of the region that the rank's blocks share
     * @param seconds of the recomputation on one micro-batch
     */
    private record Cost(long slotBytes, long regionBytes, double seconds) {}

    /** A block on its rank. */
    private record Placed(int layer, Map<Recomputation, Cost> costs) {
        Cost cost(List<Recomputation> chosen) {
            return of(chosen.get(layer));
        }

        Cost of(Recomputation recomputation) {
            return Objects.requireNonNull(costs.get(recomputation));
        }

        long savedBytes() {
            return of(Recomputation.NONE).slotBytes() - of(Recomputation.FULL).slotBytes();
        }
    }

    /** The rank's blocks for which recomputation frees memory, those that free most first; of equal ones the last, which may find its forward still there. */
    private List<Placed> blocks(int rank) {
        List<Placed> blocks = new ArrayList<>();
        for (int chunk = 0; chunk < plan.schedule().chunks(); chunk++) {
            Slots slots = slots(rank, chunk);
            StageLayers held =
                    plan.stages().get(plan.schedule().stageOf().get(rank).get(chunk));
            for (int layer = held.from(); layer < held.to(); layer++) {
                if (model.layers().get(layer) instanceof BlockSpec block) {
                    blocks.add(placed(block, layer, slots));
                }
            }
        }
        blocks.removeIf(block -> block.savedBytes() <= 0);
        blocks.sort(Comparator.comparingLong(Placed::savedBytes)
                .reversed()
                .thenComparing(Comparator.comparingInt(Placed::layer).reversed()));
        return blocks;
    }

    /** That are on the device: of a rank that offloads them, the chunks' part of its regions. */
    private Slots slots(int rank, int chunk) {
        Slots all = Slots.of(inFlight, rank, chunk);
        return plan.memory().get(rank).offloadedSlots().isEmpty()
                ? all
                : new Slots(
                        Math.ceilDiv(OffloadedSlots.RESIDENT, plan.schedule().chunks()), all.stashes());
    }

    private Placed placed(LayerSpec block, int layer, Slots slots) {
        Map<Recomputation, Cost> costs = new EnumMap<>(Recomputation.class);
        for (Recomputation recomputation : Recomputation.values()) {
            SavedTables saved = SavedTables.of(block, recomputation, plan.microBatch(), plan.compute());
            long recomputed = saved.recomputed().totalBytes();
            double seconds = CostModel.recomputationSeconds(
                    block, recomputation, plan.microBatch(), plan.compute(), CostModel.DeviceRates.cpu(plan.compute()));
            long inSlots = slots.activations() * saved.kept().totalBytes() + slots.stashes() * recomputed;
            costs.put(recomputation, new Cost(inSlots, recomputed, seconds));
        }
        return new Placed(layer, costs);
    }

    /** Raises {@code chosen} for some of {@code blocks} so that at least {@code bytes} are freed in the least time, or as much as can be. */
    private static void relieve(List<Placed> blocks, long bytes, List<Recomputation> chosen) {
        long allowed = bytes(blocks, chosen) - bytes;
        List<Recomputation> best = chosen;
        double bestSeconds = Double.POSITIVE_INFINITY;
        List<Recomputation> leanest = chosen;
        for (int full = 0; full <= blocks.size(); full++) {
            List<Recomputation> tried = new ArrayList<>(chosen);
            raise(tried, blocks.subList(0, full), Recomputation.FULL);
            for (int next = full; next < blocks.size() && bytes(blocks, tried) > allowed; next++) {
                raise(tried, blocks.subList(next, next + 1), Recomputation.SELECTIVE);
            }
            double seconds = seconds(blocks, tried);
            if (bytes(blocks, tried) <= allowed && seconds < bestSeconds) {
                best = tried;
                bestSeconds = seconds;
            }
            leanest = bytes(blocks, tried) < bytes(blocks, leanest) ? tried : leanest;
        }
        Collections.copy(chosen, bestSeconds < Double.POSITIVE_INFINITY ? best : leanest);
    }

    private static void raise(List<Recomputation> chosen, List<Placed> blocks, Recomputation to) {
        for (Placed block : blocks) {
            if (chosen.get(block.layer()).compareTo(to) < 0) {
                chosen.set(block.layer(), to);
            }
        }
    }

    private static long bytes(List<Placed> blocks, List<Recomputation> chosen) {
        long slots = 0;
        long region = 0;
        for (Placed block : blocks) {
            slots += block.cost(chosen).slotBytes();
            region = Math.max(region, block.cost(chosen).regionBytes());
        }
        return slots + region;
    }

    private static double seconds(List<Placed> blocks, List<Recomputation> chosen) {
        return blocks.stream()
                .mapToDouble(block -> block.cost(chosen).seconds())
                .sum();
    }
}
