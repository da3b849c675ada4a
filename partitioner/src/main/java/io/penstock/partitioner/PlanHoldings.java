package io.penstock.partitioner;

import io.penstock.partitioner.memory.TensorNames;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a plan's memory is in use when. The engine allocates every slot before the first step; this is what the slots hold. At a rank's peak it is what is allocated, less
 * what chunks that peak at different times leave free.
 */
public final class PlanHoldings implements MemoryCurve.Holdings {
    private final Plan plan;

    public PlanHoldings(Plan plan) {
        this.plan = plan;
    }

    /** A curve a rank. */
    public List<List<MemoryCurve.Point>> curves(Timeline timeline) {
        List<List<MemoryCurve.Point>> curves = new ArrayList<>();
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            curves.add(MemoryCurve.of(timeline, rank, fixedBytes(rank), this));
        }
        return curves;
    }

    /** Parameters, gradients, optimizer, buffers, workspace and shared scratch: held whatever the schedule does. */
    private double fixedBytes(int rank) {
        RankMemory memory = plan.memory().get(rank);
        double slots = 0;
        for (TensorTable table : List.of(memory.activations(), memory.stash())) {
            for (TensorTable.Entry entry : table.entries()) {
                slots += entry.name().startsWith("chunk") ? TensorTable.align(entry.bytes()) : 0;
            }
        }
        return memory.totalBytes() - slots;
    }

    @Override
    public double activationBytes(int rank, int chunk) {
        return prefixed(plan.memory().get(rank).activations(), TensorNames.slot(chunk, 0));
    }

    @Override
    public double stashBytes(int rank, int chunk) {
        return prefixed(plan.memory().get(rank).stash(), TensorNames.stashSlot(chunk, 0));
    }

    private static double prefixed(TensorTable table, String prefix) {
        double bytes = 0;
        for (TensorTable.Entry entry : table.entries()) {
            bytes += entry.name().startsWith(prefix) ? TensorTable.align(entry.bytes()) : 0;
        }
        return bytes;
    }
}
