package io.penstock.partitioner.estimate;

import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.Partition;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.TimeSplit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Times of one layout: layers are split exactly within each rank's memory, the schedule is simulated, what ends the step is added. */
public final class StepEstimator {
    private final Transformer model;
    private final Layout layout;
    private final Cluster cluster;
    private final LayoutMemory memory;
    private final Communication communication;
    private final RecomputeChoice choice;
    private final PhaseSeconds embedding;
    private final PhaseSeconds head;
    private final PhaseSeconds block;
    private final PhaseSeconds selective;
    private final PhaseSeconds full;

    public StepEstimator(Transformer model, Layout layout, Cluster cluster) {
        if (layout.devices() != cluster.devices()) {
            throw new PlanException("tensor=" + layout.tensor() + " x pipeline=" + layout.pipeline() + " x data="
                    + layout.data() + " = " + layout.devices() + " devices, the cluster has " + cluster.devices());
        }
        this.model = model;
        this.layout = layout;
        this.cluster = cluster;
        memory = new LayoutMemory(model, layout);
        communication = new Communication(model, layout, cluster);
        LayerTimes times = new LayerTimes(
                model, cluster, layout.tensor(), layout.microBatch(), layout.sequenceParallel(), splitBackward());
        double lookUp = cluster.device().passes(6.0 * layout.microBatch() * model.sequence() * model.hidden(), 1);
        embedding = new PhaseSeconds(lookUp, 0, lookUp);
        head = times.head();
        block = times.block(Recompute.NONE);
        selective = times.block(Recompute.SELECTIVE);
        full = times.block(Recompute.FULL);
        choice = new RecomputeChoice(
                memory, cluster, layout.recompute(), selective.total() - block.total(), full.total() - block.total());
    }

    public Layout layout() {
        return layout;
    }

    /**
     * Less than any split and schedule can take. Rank r computes M micro-batches of T_r seconds, not before the forwards of the ranks before it, and where backwards are whole
     * not without their backwards after it: a step of X seconds leaves T_r at most (X - q (T_0 + ... + T_(r-1))) / M, q being 1 or the forward's part, so all ranks together at
     * most (1 - (1 - q / M)^p) X / q.
     */
    public double lowerBoundSeconds() {
        Share all = new Share(model.layers(), true, true);
        Recomputed least =
                layout.recompute() == Recompute.AS_NEEDED ? Recomputed.NOTHING : choice.leanest(model.layers());
        double parameters = memory.parameters(all) / layout.pipeline();
        double hidden = communication.behindForward(parameters, 0) + communication.behindBackward(parameters, 0);
        double seconds = phases(all, least).total();
        double mean = Math.max(seconds / layout.pipeline(), hidden) * layout.microBatches();
        double part = fillPart();
        double filled =
                part == 0 ? 0 : seconds * part / (1 - Math.pow(1 - part / layout.microBatches(), layout.pipeline()));
        return Math.max(mean, filled) + communication.endOfStep(parameters);
    }

    /** How much of a rank's time the next one waits, at least; 0 where a rank holds several stages. */
    private double fillPart() {
        if (layout.chunks() > 1) {
            return 0;
        }
        return splitBackward()
                ? Math.min(
                        Math.min(block.forward() / block.total(), head.forward() / head.total()),
                        embedding.forward() / embedding.total())
                : 1;
    }

    private boolean splitBackward() {
        return layout.schedule().startsWith("zb");
    }

    /** What {@link #split} found, and what every rank recomputes. */
    public record Fitting(List<StageLayers> split, List<Recomputed> recomputed) {
        public Fitting {
            split = List.copyOf(split);
            recomputed = List.copyOf(recomputed);
        }
    }

    /**
     * The split that makes the slowest stage fastest within every rank's memory; empty if none fits. Where a rank holds several stages, layers are split evenly by time first,
     * then each rank recomputes what it must.
     */
    public Optional<Fitting> split() {
        if (layout.chunks() > 1) {
            return fitting(evenSplit());
        }
        Choices choices = new Choices();
        return StageSplit.of(model.layers() + 2, layout.stages(), choices::seconds)
                .map(split -> {
                    List<Recomputed> again = new ArrayList<>();
                    for (int rank = 0; rank < layout.pipeline(); rank++) {
                        again.add(choice.of(rank, share(split.get(rank))).orElseThrow());
                    }
                    return new Fitting(split, again);
                });
    }

    /** The user's or another engine's split with what its ranks must recompute; empty if it does not fit. */
    public Optional<Fitting> fitting(List<StageLayers> split) {
        List<Recomputed> again = new ArrayList<>();
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            Optional<Recomputed> least = choice.of(rank, shareOfRank(split, rank));
            if (least.isEmpty()) {
                return Optional.empty();
            }
            again.add(least.get());
        }
        return Optional.of(new Fitting(split, again));
    }

    /** What needs the least memory, whether it fits or not. */
    public Fitting leanest() {
        return uniform(evenSplit());
    }

    /** A split in which every block is recomputed as is asked for (wholly, where that is as needed), whether it fits or not. */
    public Fitting uniform(List<StageLayers> split) {
        List<Recomputed> again = new ArrayList<>();
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            again.add(choice.leanest(shareOfRank(split, rank).blocks()));
        }
        return new Fitting(split, again);
    }

    private List<StageLayers> evenSplit() {
        double[] costs = new double[model.layers() + 2];
        Arrays.fill(costs, block.total());
        costs[0] = embedding.total();
        costs[costs.length - 1] = head.total();
        return Partition.minimizeSlowestStage(costs, layout.stages());
    }

    /** Bytes of every rank's device. */
    public double[] rankBytes(Fitting fitting) {
        double[] bytes = new double[layout.pipeline()];
        Arrays.setAll(
                bytes,
                rank -> memory.rankBytes(
                        rank,
                        shareOfRank(fitting.split(), rank),
                        fitting.recomputed().get(rank)));
        return bytes;
    }

    /** No schedule runs this split faster: as {@link #lowerBoundSeconds}, with the times of its stages. */
    public double leastSeconds(Fitting fitting) {
        ChunkTimes times = times(fitting, Link.FREE);
        double least = 0;
        double fill = 0;
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            least = Math.max(least, fill + layout.microBatches() * times.rankSeconds(rank) + times.optimizerStep(rank));
            PhaseSeconds first = times.chunk(rank, 0);
            fill += splitBackward() ? first.forward() : first.total();
        }
        return least;
    }

    public Estimate estimate(Fitting fitting) {
        Schedule schedule = Schedules.create(
                layout.schedule(), layout.pipeline(), layout.microBatches(), layout.chunks(), model.tied());
        ChunkTimes times = times(fitting, link());
        double end = 0;
        Holdings[] held = new Holdings[layout.pipeline()];
        for (int rank = 0; rank < held.length; rank++) {
            end = Math.max(end, times.optimizerStep(rank));
            Share share = shareOfRank(fitting.split(), rank);
            Recomputed again = fitting.recomputed().get(rank);
            held[rank] = new Holdings(
                    memory.rankBytes(rank, share, again),
                    memory.hostBytes(rank, share, again),
                    memory.fixedBytes(share, again),
                    memory.heldActivations(rank, share, again) / layout.chunks(),
                    memory.stashOfRank(again) / layout.chunks());
        }
        return new Estimate(
                model,
                layout,
                cluster.device().peakFlopsPerSecond(),
                end,
                fitting,
                held,
                Simulator.run(schedule, times));
    }

    /**
     * What a rank holds.
     *
     * @param bytes at its peak, on the device
     * @param hostBytes offloaded, at the peak
     * @param fixedBytes whatever the schedule does
     * @param activationBytes a micro-batch and chunk in flight
     * @param stashBytes a micro-batch and chunk between input and weight gradient
     */
    record Holdings(double bytes, double hostBytes, double fixedBytes, double activationBytes, double stashBytes) {}

    private Link link() {
        return new Link(0, communication.message(), false);
    }

    /** Where the time of an estimate of this layout goes: its step is simulated again with free links. */
    public TimeSplit timeSplit(Estimate estimate) {
        ChunkTimes free = times(estimate.fitting(), Link.FREE);
        return TimeSplit.of(
                estimate.timeline(), Simulator.run(estimate.timeline().schedule(), free), estimate.endSeconds());
    }

    /** Seconds of the busiest rank's compute that are reductions inside its tensor-parallel group. */
    public double tensorParallelSeconds(Estimate estimate) {
        double bytes = 2.0 * layout.microBatch() * model.sequence() * model.hidden();
        double reduction = cluster.inNode().allReduce(bytes, layout.tensor());
        double most = 0;
        for (int rank = 0; rank < layout.pipeline(); rank++) {
            int blocks = shareOfRank(estimate.split(), rank).blocks();
            int again = estimate.fitting().recomputed().get(rank).full();
            most = Math.max(most, 4.0 * blocks + 2.0 * again);
        }
        return most * layout.microBatches() * reduction;
    }

    private Share share(StageLayers held) {
        return Share.of(held.from(), held.to(), model.layers());
    }

    private Share shareOfRank(List<StageLayers> split, int rank) {
        Share sum = new Share(0, false, false);
        for (int stage : Schedules.stageOf(layout.schedule(), layout.pipeline(), layout.chunks())
                .get(rank)) {
            sum = sum.plus(share(split.get(stage)));
        }
        return sum;
    }

    /** Of one micro-batch. */
    private PhaseSeconds phases(Share share, Recomputed again) {
        int kept = share.blocks() - again.full() - again.selective();
        PhaseSeconds sum =
                times(kept, block).plus(times(again.selective(), selective)).plus(times(again.full(), full));
        sum = share.first() ? sum.plus(embedding) : sum;
        return share.last() ? sum.plus(head) : sum;
    }

    private static PhaseSeconds times(int count, PhaseSeconds one) {
        return new PhaseSeconds(count * one.forward(), count * one.backwardInput(), count * one.backwardWeight());
    }

    private ChunkTimes times(Fitting fitting, Link link) {
        List<List<Integer>> stageOf = Schedules.stageOf(layout.schedule(), layout.pipeline(), layout.chunks());
        PhaseSeconds[][] chunks = new PhaseSeconds[layout.pipeline()][layout.chunks()];
        double[] end = new double[layout.pipeline()];
        for (int rank = 0; rank < chunks.length; rank++) {
            for (int chunk = 0; chunk < chunks[rank].length; chunk++) {
                Share share = share(fitting.split().get(stageOf.get(rank).get(chunk)));
                Recomputed again = fitting.recomputed().get(rank).ofChunk(chunk, layout.chunks());
                chunks[rank][chunk] = withTraffic(phases(share, again), share, again);
            }
            end[rank] = communication.endOfStep(memory.parameters(shareOfRank(fitting.split(), rank)));
        }
        return new ChunkTimes(chunks, end, communication.reduceTied(model.embeddingParameters()), link);
    }

    /** Traffic that computation hides as far as it lasts. */
    private PhaseSeconds withTraffic(PhaseSeconds phases, Share share, Recomputed again) {
        double parameters = memory.parameters(share);
        double bytes = memory.activationsOfRank(share, again);
        double backward = phases.backwardInput() + phases.backwardWeight();
        return new PhaseSeconds(
                Math.max(phases.forward(), communication.behindForward(parameters, bytes)),
                phases.backwardInput(),
                phases.backwardWeight() + Math.max(0, communication.behindBackward(parameters, bytes) - backward));
    }

    /** Times of stages of a rank each, remembered: the search asks for the same ones often. */
    private final class Choices {
        private static final int KINDS = 4;

        private final double[][] known = new double[layout.pipeline()][(model.layers() + 1) * KINDS];

        double seconds(int stage, int from, int to) {
            Share share = Share.of(from, to, model.layers());
            int place = share.blocks() * KINDS + (share.first() ? 1 : 0) + (share.last() ? 2 : 0);
            double seconds = known[stage][place];
            if (seconds == 0) {
                seconds = choice.of(stage, share)
                        .map(again ->
                                withTraffic(phases(share, again), share, again).total())
                        .orElse(Double.POSITIVE_INFINITY);
                known[stage][place] = seconds;
            }
            return seconds;
        }
    }
}
