package io.penstock.partitioner;

import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.StepTimes;
import io.penstock.partitioner.simulate.Timeline;

/** The times of a plan of our own engine, from the work that its layers declare and what a rank's device sustains. */
public final class PlanTimes implements StepTimes {
    private final Plan plan;
    private final DeviceRates device;
    private final Link link;
    private final PhaseSeconds[] stages;

    /** {@code link} carries a message of one micro-batch's activations between any two ranks. */
    public PlanTimes(Plan plan, ModelSpec model, DeviceRates device, Link link) {
        this.plan = plan;
        this.device = device;
        this.link = link;
        stages = new PhaseSeconds[plan.stages().size()];
        for (int stage = 0; stage < stages.length; stage++) {
            StageLayers held = plan.stages().get(stage);
            PhaseSeconds sum = new PhaseSeconds(0, 0, 0);
            for (LayerSpec layer : model.layers().subList(held.from(), held.to())) {
                sum = sum.plus(CostModel.seconds(layer, plan.microBatch(), plan.compute(), device));
            }
            stages[stage] = sum;
        }
    }

    /** The predicted timeline of a step. */
    public Timeline simulate() {
        return Simulator.run(plan.schedule(), this);
    }

    @Override
    public double compute(int rank, Instruction.OnMicroBatch computation) {
        PhaseSeconds stage = stages[plan.schedule().stageOf().get(rank).get(computation.chunk())];
        return switch (computation) {
            case Instruction.Forward f -> stage.forward();
            case Instruction.Backward b -> stage.backwardInput() + stage.backwardWeight();
            case Instruction.BackwardInput b -> stage.backwardInput();
            case Instruction.BackwardWeight b -> stage.backwardWeight();
            case Instruction.EvaluateLoss e -> 0;
            case Instruction.SendActivation s -> 0;
            case Instruction.ReceiveActivation r -> 0;
            case Instruction.SendGradient s -> 0;
            case Instruction.ReceiveGradient r -> 0;
        };
    }

    @Override
    public Link link(int from, int to) {
        return link;
    }

    /** The norm reads the gradients; the update reads and writes everything, and clears the gradients. */
    @Override
    public double optimizerStep(int rank) {
        RankMemory memory = plan.memory().get(rank);
        double bytes = 3.0 * memory.gradients().totalBytes()
                + 2.0 * memory.parameters().totalBytes()
                + 2.0 * memory.optimizer().totalBytes();
        return bytes / device.memoryBytesPerSecond();
    }
}
