package io.penstock.partitioner.estimate;

import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.Partition;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Wire;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.StepTimes;
import io.penstock.partitioner.simulate.TimeSplit;
import java.util.Arrays;
import java.util.List;

/** Times of one layout: layers are split exactly, the schedule is simulated, what ends the step is added. */
public final class StepEstimator {
    /** Bytes read and written a parameter by unscaling, norm, Adam and the 16-bit copy. */
    private static final double OPTIMIZER_BYTES = 40;

    private static final double GRADIENT_BYTES = 2;

    private final Transformer model;
    private final Layout layout;
    private final Cluster cluster;
    private final LayoutMemory memory;
    private final PhaseSeconds[] layers;
    private final double[] costs;

    public StepEstimator(Transformer model, Layout layout, Cluster cluster) {
        if (layout.devices() != cluster.devices()) {
            throw new PlanException("tensor=" + layout.tensor() + " x pipeline=" + layout.pipeline() + " x data="
                    + layout.data() + " = " + layout.devices() + " devices, the cluster has " + cluster.devices());
        }
        this.model = model;
        this.layout = layout;
        this.cluster = cluster;
        memory = new LayoutMemory(model, layout);
        LayerTimes times = new LayerTimes(model, cluster, layout.tensor(), layout.microBatch(), false);
        layers = new PhaseSeconds[model.layers() + 2];
        Arrays.fill(layers, times.block(layout.recompute()));
        double lookUp = cluster.device().passes(6.0 * layout.microBatch() * model.sequence() * model.hidden(), 1);
        layers[0] = new PhaseSeconds(lookUp, 0, lookUp);
        layers[layers.length - 1] = times.head();
        costs = Arrays.stream(layers).mapToDouble(PhaseSeconds::total).toArray();
    }

    /** Less than any split and schedule can take: perfectly even stages without a bubble. */
    public double lowerBoundSeconds() {
        double mean = Arrays.stream(costs).sum() / layout.pipeline();
        return layout.microBatches() * mean;
    }

    /** The split that makes the slowest stage fastest, among those that fit if every rank holds one stage. */
    public List<StageLayers> split(boolean withinMemory) {
        boolean limited = withinMemory && layout.chunks() == 1;
        return Partition.minimizeSlowestStage(
                costs,
                layout.stages(),
                (stage, from, to) -> !limited || memory.fits(cluster.device(), stage, from, to));
    }

    /** Bytes of every rank. */
    public double[] rankBytes(List<StageLayers> split) {
        return memory.rankBytes(split, Schedules.stageOf(layout.schedule(), layout.pipeline(), layout.chunks()));
    }

    public Estimate estimate(List<StageLayers> split) {
        Schedule schedule = Schedules.create(
                layout.schedule(), layout.pipeline(), layout.microBatches(), layout.chunks(), model.tied());
        Times times = new Times(schedule, split, new Link(0, messageSeconds(), false));
        double end = 0;
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            end = Math.max(end, times.optimizerStep(rank));
        }
        return new Estimate(
                model,
                layout,
                cluster.device().peakFlopsPerSecond(),
                end,
                split,
                rankBytes(split),
                Simulator.run(schedule, times));
    }

    /** Where the time of an estimate of this layout goes: its step is simulated again with free links. */
    public TimeSplit timeSplit(Estimate estimate) {
        Schedule schedule = estimate.timeline().schedule();
        Times times = new Times(schedule, estimate.split(), Link.FREE);
        return TimeSplit.of(estimate.timeline(), Simulator.run(schedule, times), estimate.endSeconds());
    }

    /** Seconds of the busiest rank's compute that are reductions inside its tensor-parallel group. */
    public double tensorParallelSeconds(Estimate estimate) {
        double bytes = 2.0 * layout.microBatch() * model.sequence() * model.hidden();
        int reductions = layout.recompute() == Layout.Recompute.FULL ? 6 : 4;
        double block = reductions * cluster.inNode().allReduce(bytes, layout.tensor());
        double most = 0;
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            double blocks = 0;
            for (int stage : estimate.timeline().schedule().stageOf().get(rank)) {
                blocks += memory.blocks(
                        estimate.split().get(stage).from(),
                        estimate.split().get(stage).to());
            }
            most = Math.max(most, blocks);
        }
        return most * layout.microBatches() * block;
    }

    private final class Times implements StepTimes {
        private final PhaseSeconds[][] chunks;
        private final double[] end;
        private final Link link;

        Times(Schedule schedule, List<StageLayers> split, Link link) {
            chunks = new PhaseSeconds[layout.pipeline()][layout.chunks()];
            end = new double[layout.pipeline()];
            for (int rank = 0; rank < chunks.length; rank++) {
                double parameters = 0;
                for (int chunk = 0; chunk < chunks[rank].length; chunk++) {
                    StageLayers held = split.get(schedule.stageOf().get(rank).get(chunk));
                    PhaseSeconds sum = new PhaseSeconds(0, 0, 0);
                    for (int layer = held.from(); layer < held.to(); layer++) {
                        sum = sum.plus(layers[layer]);
                    }
                    chunks[rank][chunk] = sum;
                    parameters += memory.parameters(held.from(), held.to());
                }
                end[rank] = endOfStep(parameters);
            }
            this.link = link;
        }

        @Override
        public double compute(int rank, Instruction.OnMicroBatch computation) {
            PhaseSeconds chunk = chunks[rank][computation.chunk()];
            return switch (computation) {
                case Instruction.Forward f -> chunk.forward();
                case Instruction.EvaluateLoss e -> 0;
                case Instruction.Backward b -> chunk.backwardInput() + chunk.backwardWeight();
                case Instruction.BackwardInput b -> chunk.backwardInput();
                case Instruction.BackwardWeight w -> chunk.backwardWeight();
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

        @Override
        public double reduceTied() {
            double bytes = GRADIENT_BYTES * model.embeddingParameters() / layout.tensor();
            return layout.pipeline() == 1 ? 0 : cluster.network().allReduce(bytes, 2);
        }

        @Override
        public double optimizerStep(int rank) {
            return end[rank];
        }
    }

    /** An activation is sent in tensor-parallel pieces and gathered inside the receiving node; neither is hidden. */
    private double messageSeconds() {
        double bytes = 2.0 * layout.microBatch() * model.sequence() * model.hidden();
        Wire wire = cluster.devices() <= cluster.devicesPerNode() ? cluster.inNode() : cluster.pipeline();
        return wire.message(bytes / layout.tensor())
                + bytes
                        * (layout.tensor() - 1)
                        / layout.tensor()
                        / cluster.inNode().bytesPerSecond();
    }

    /** Gradients are reduced once a step; ZeRO-2 scatters them and ZeRO-3 gathers parameters with every micro-batch. */
    private double endOfStep(double parameters) {
        int d = layout.data();
        Wire wire = layout.tensor() * d <= cluster.devicesPerNode() ? cluster.inNode() : cluster.network();
        double bytes = GRADIENT_BYTES * parameters;
        double reduction = switch (layout.zeroStage()) {
            case 0, 1 -> wire.allReduce(bytes, d);
            case 2 -> (layout.microBatches() + 1) * wire.allGather(bytes, d);
            default -> 3.0 * layout.microBatches() * wire.allGather(bytes, d);
        };
        double updated = layout.zeroStage() == 0 ? parameters : parameters / d;
        return reduction + OPTIMIZER_BYTES * updated / cluster.device().memoryBytesPerSecond();
    }
}
