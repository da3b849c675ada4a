package io.penstock.partitioner;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.ScheduleVerifier;
import io.penstock.partitioner.schedule.StateInstructions;
import io.penstock.tensor.DType;
import java.util.List;

/** The plan of a layout that the user gives: exact split, verified schedule, exact memory. */
public final class Planner {
    private Planner() {}

    /**
     * Splits the layers over the schedule's stages so that the slowest is fastest on a device of {@code rates}.
     *
     * @param techniques what is shared, recomputed or offloaded
     * @param workspaceBytes what the backend says it holds for its kernels
     * @throws PlanException if there are more stages than layers or the schedule cannot run
     */
    public static Plan plan(
            ModelSpec model,
            MicroBatchShape microBatch,
            DType compute,
            Schedule schedule,
            Techniques techniques,
            DeviceRates rates,
            long workspaceBytes) {
        double[] costs = CostModel.layerCosts(model, microBatch, compute, techniques, rates);
        return plan(
                model,
                microBatch,
                compute,
                schedule,
                techniques,
                Partition.minimizeSlowestStage(costs, schedule.stages()),
                workspaceBytes);
    }

    /** With the user's own split, which must cover the model's layers. */
    public static Plan plan(
            ModelSpec model,
            MicroBatchShape microBatch,
            DType compute,
            Schedule schedule,
            Techniques techniques,
            List<StageLayers> stages,
            long workspaceBytes) {
        checkSplit(stages, schedule.stages(), model.layers().size());
        Schedule whole = StateInstructions.add(schedule, techniques.sharding(), techniques.windowsParameters());
        ScheduleVerifier.verify(whole, 1).require();
        MemoryPlanner memory = new MemoryPlanner(model, microBatch, compute, techniques, workspaceBytes);
        return new Plan(microBatch, compute, whole, stages, techniques, model.split(), memory.plan(whole, stages));
    }

    private static void checkSplit(List<StageLayers> stages, int expected, int layers) {
        int at = 0;
        for (StageLayers stage : stages) {
            if (stage.from() != at || stage.to() <= at) {
                throw new PlanException("a stage of layers " + stage.from() + ".." + stage.to() + " after layer " + at
                        + ": stages hold consecutive layers, at least one each");
            }
            at = stage.to();
        }
        if (stages.size() != expected || at != layers) {
            throw new PlanException("a split in " + stages.size() + " stages of " + at + " layers for a schedule of "
                    + expected + " stages and a model of " + layers + " layers: is it the plan of another model?");
        }
    }
}
