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

/** The times of a plan of our own engine, from what its layers take and what a rank's memory and messages sustain. */
public final class PlanTimes implements StepTimes {
    private final Plan plan;
    private final double memoryBytesPerSecond;
    private final Link link;
    private final double tiedSeconds;
    private final ReplicaTraffic traffic;
    private final double replicaBytesPerSecond;
    private final OffloadTraffic offloaded;
    private final Stores stores;
    private final PhaseSeconds[] stages;

    /** By the rates of a device; {@code link} carries a message of one micro-batch's activations between any two ranks. */
    public PlanTimes(Plan plan, ModelSpec model, DeviceRates device, Link link) {
        this(
                plan,
                model,
                CostModel.rated(plan.microBatch(), plan.compute(), device),
                device.memoryBytesPerSecond(),
                link,
                0,
                Double.POSITIVE_INFINITY,
                Stores.FREE);
    }

    /**
     * The stores of what is offloaded.
     *
     * @param bytesPerSecond that a rank carries to its store or from it
     * @param beside whether cores that compute nothing carry activations while the rank computes
     */
    public record Stores(double bytesPerSecond, boolean beside) {
        public static final Stores FREE = new Stores(Double.POSITIVE_INFINITY, true);
    }

    /**
     * By what layers take.
     *
     * @param tiedSeconds what summing the tied gradients takes once both ranks are there
     * @param replicaBytesPerSecond at which a rank sends to its replicas and takes from them; the rank's own cores carry the bytes, so nothing hides them
     */
    public PlanTimes(
            Plan plan,
            ModelSpec model,
            LayerSeconds layers,
            double memoryBytesPerSecond,
            Link link,
            double tiedSeconds,
            double replicaBytesPerSecond,
            Stores stores) {
        this.stores = stores;
        this.plan = plan;
        this.memoryBytesPerSecond = memoryBytesPerSecond;
        this.link = link;
        this.tiedSeconds = tiedSeconds;
        this.replicaBytesPerSecond = replicaBytesPerSecond;
        traffic = new ReplicaTraffic(plan, model);
        offloaded = new OffloadTraffic(plan, traffic);
        stages = new PhaseSeconds[plan.stages().size()];
        for (int stage = 0; stage < stages.length; stage++) {
            StageLayers held = plan.stages().get(stage);
            PhaseSeconds sum = new PhaseSeconds(0, 0, 0);
            for (int layer = held.from(); layer < held.to(); layer++) {
                sum = sum.plus(withRecomputation(layers, model.layers().get(layer), layer));
            }
            stages[stage] = sum;
        }
    }

    /** What is computed again takes its share of the layer's forward, measured or rated. */
    private PhaseSeconds withRecomputation(LayerSeconds layers, LayerSpec layer, int index) {
        PhaseSeconds once = layers.of(layer);
        double share = CostModel.recomputedShare(
                layer, plan.techniques().recomputation(index), plan.microBatch(), plan.compute());
        return once.plus(new PhaseSeconds(0, share * once.forward(), 0));
    }

    /** The predicted timeline of a step. */
    public Timeline simulate() {
        return Simulator.run(plan.schedule(), this);
    }

    @Override
    public double compute(int rank, Instruction.OnMicroBatch computation) {
        PhaseSeconds stage = stages[plan.schedule().stageOf().get(rank).get(computation.chunk())];
        double computing = computing(rank, computation, stage);
        double carrying = offloaded.activationBytes(rank, computation) / stores.bytesPerSecond();
        return stores.beside() ? Math.max(computing, carrying) : computing + carrying;
    }

    private double computing(int rank, Instruction.OnMicroBatch computation, PhaseSeconds stage) {
        return switch (computation) {
            case Instruction.Forward f -> stage.forward() + regathered(rank, computation);
            case Instruction.Backward b -> stage.backward() + regathered(rank, computation);
            case Instruction.BackwardInput b -> stage.backwardInput() + regathered(rank, computation);
            case Instruction.BackwardWeight b -> stage.backwardWeight();
            case Instruction.EvaluateLoss e -> 0;
            case Instruction.SendActivation s -> 0;
            case Instruction.ReceiveActivation r -> 0;
            case Instruction.SendGradient s -> 0;
            case Instruction.ReceiveGradient r -> 0;
        };
    }

    /** ZeRO-3: blocks beyond the windows come anew to every computation, from replicas and out of offloaded masters. */
    private double regathered(int rank, Instruction.OnMicroBatch computation) {
        return traffic.regatheredBytes(rank, computation.chunk()) / replicaBytesPerSecond
                + offloaded.computationBytes(rank, computation.chunk()) / stores.bytesPerSecond();
    }

    @Override
    public double states(int rank, Instruction.OnStates instruction) {
        return switch (instruction) {
            case Instruction.GatherParameters g ->
                traffic.gatheredBytes(rank, g.chunk()) / replicaBytesPerSecond
                        + offloaded.episodeBytes(rank, g.chunk()) / stores.bytesPerSecond();
            case Instruction.ReleaseParameters r -> 0;
            case Instruction.ReduceGradients r -> {
                double bytes = traffic.reducedBytes(rank, r.chunk());
                // What comes is read and added once.
                yield bytes / replicaBytesPerSecond + 2 * bytes / memoryBytesPerSecond;
            }
        };
    }

    @Override
    public Link link(int from, int to) {
        return link;
    }

    @Override
    public double reduceTied() {
        return tiedSeconds;
    }

    /** The norm reads the gradients; the update reads and writes everything, in memory or in stores, and clears the gradients; replicas tell each other what they updated. */
    @Override
    public double optimizerStep(int rank) {
        return updateBytes(plan.memory().get(rank)) / memoryBytesPerSecond
                + offloaded.updateBytes(rank) / stores.bytesPerSecond()
                + traffic.finalBytes(rank) / replicaBytesPerSecond;
    }

    /** Bytes that the end of a step reads and writes. */
    public static double updateBytes(RankMemory memory) {
        return 3.0 * memory.gradients().totalBytes()
                + 2.0 * memory.parameters().totalBytes()
                + 2.0 * memory.optimizer().totalBytes();
    }
}
