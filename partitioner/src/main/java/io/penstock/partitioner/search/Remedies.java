package io.penstock.partitioner.search;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.StepEstimator;
import io.penstock.partitioner.estimate.Transformer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** The smallest change of one thing that makes a model fit, for each thing that can: a key that is set, the sequence, the devices' memory, their number. */
final class Remedies {
    private static final double GIB = 1L << 30;
    private static final int[] MORE = {2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024};

    private final Transformer model;
    private final Cluster cluster;
    private final int globalBatch;
    private final Pinned pinned;

    Remedies(Transformer model, Cluster cluster, int globalBatch, Pinned pinned) {
        this.model = model;
        this.cluster = cluster;
        this.globalBatch = globalBatch;
        this.pinned = pinned;
    }

    List<String> sentences() {
        List<String> sentences = new ArrayList<>(freedKeys());
        shorterSequence().ifPresent(sentences::add);
        sentences.add(moreMemory());
        moreDevices().ifPresent(sentences::add);
        return sentences;
    }

    /** One key after the other is left to the search. */
    private List<String> freedKeys() {
        List<String> sentences = new ArrayList<>();
        OptionalInt free = OptionalInt.empty();
        Pinned p = pinned;
        if (p.tensor().isPresent()) {
            fits(p.withAxes(free, p.pipeline(), p.data()))
                    .ifPresent(l -> sentences.add(
                            "tensor=" + l.tensor() + " instead of " + p.tensor().getAsInt() + words(l)));
        }
        if (p.pipeline().isPresent()) {
            fits(p.withAxes(p.tensor(), free, p.data()))
                    .ifPresent(l -> sentences.add("pipeline=" + l.pipeline() + " instead of "
                            + p.pipeline().getAsInt() + words(l)));
        }
        if (p.data().isPresent()) {
            fits(p.withAxes(p.tensor(), p.pipeline(), free))
                    .ifPresent(l -> sentences.add(
                            "data=" + l.data() + " instead of " + p.data().getAsInt() + words(l)));
        }
        if (p.microBatch().isPresent()) {
            fits(p.withMicroBatch(free))
                    .ifPresent(l -> sentences.add("micro_batch_size=" + l.microBatch() + " instead of "
                            + p.microBatch().getAsInt()));
        }
        if (p.zeroStage().isPresent()) {
            fits(p.withZeroStage(free))
                    .ifPresent(l -> sentences.add("zero_stage=" + l.zeroStage() + " instead of "
                            + p.zeroStage().getAsInt()));
        }
        if (p.recompute().isPresent()) {
            fits(p.withRecompute(Optional.empty()))
                    .ifPresent(l -> sentences.add("activation_checkpointing=auto instead of "
                            + word(p.recompute().get())));
        }
        if (p.schedule().isPresent()) {
            fits(p.withSchedule(Optional.empty()))
                    .ifPresent(l -> sentences.add("schedule=" + l.schedule() + " instead of "
                            + p.schedule().get()));
        }
        if (p.sequenceParallel().isPresent() && !p.sequenceParallel().get()) {
            fits(p.withSequenceParallel(Optional.empty())).ifPresent(l -> sentences.add("sequence_parallel=true"));
        }
        if (p.offload().isPresent()) {
            fits(p.withOffload(Optional.empty()))
                    .ifPresent(l -> sentences.add("offload=" + word(l.offload()) + " instead of "
                            + word(p.offload().get())));
        }
        return sentences;
    }

    private Optional<String> shorterSequence() {
        for (int sequence = model.sequence() / 2; sequence >= 128; sequence /= 2) {
            Optional<Layout> fitting = fitting(model.withSequence(sequence), cluster, pinned);
            if (fitting.isPresent()) {
                return Optional.of(
                        "sequence_length=" + sequence + " instead of " + model.sequence() + words(fitting.get()));
            }
        }
        return Optional.empty();
    }

    private String moreMemory() {
        double least = Double.POSITIVE_INFINITY;
        Layout leanest = null;
        for (Layout layout : Layouts.of(model, cluster, globalBatch, pinned)) {
            StepEstimator estimator = new StepEstimator(model, layout, cluster);
            double most = Arrays.stream(estimator.rankBytes(estimator.leanest()))
                    .max()
                    .orElse(0);
            if (most < least) {
                least = most;
                leanest = layout;
            }
        }
        if (leanest == null) {
            throw new IllegalStateException("no layout, which the search has refused before");
        }
        return String.format(
                Locale.ROOT,
                "devices of %.1f GiB instead of %.1f GiB%s",
                Math.ceil(least / GIB * 10) / 10,
                cluster.device().memoryBytes() / GIB,
                words(leanest));
    }

    private Optional<String> moreDevices() {
        for (int factor : MORE) {
            long devices = (long) cluster.devices() * factor;
            if (devices > Integer.MAX_VALUE || devices % Math.min(devices, cluster.devicesPerNode()) != 0) {
                continue;
            }
            Optional<Layout> fitting = fitting(model, cluster.withDevices((int) devices), pinned);
            if (fitting.isPresent()) {
                return Optional.of(devices + " devices instead of " + cluster.devices() + words(fitting.get()));
            }
        }
        return Optional.empty();
    }

    private Optional<Layout> fits(Pinned freed) {
        return fitting(model, cluster, freed);
    }

    /** Any layout that fits, without offload before with it. */
    private Optional<Layout> fitting(Transformer ofModel, Cluster on, Pinned keys) {
        List<Layout> tried = Layouts.of(ofModel, on, globalBatch, keys);
        while (!tried.isEmpty()) {
            List<Layout> next = new ArrayList<>();
            for (Layout layout : tried) {
                StepEstimator estimator = new StepEstimator(ofModel, layout, on);
                if (estimator.split().isPresent()) {
                    return Optional.of(layout);
                }
                if (keys.offload().isEmpty()) {
                    next.addAll(LayoutSearch.offloads(layout));
                }
            }
            tried = next;
        }
        return Optional.empty();
    }

    private static String words(Layout l) {
        return String.format(
                Locale.ROOT,
                " (tensor=%d pipeline=%d data=%d micro_batch_size=%d schedule=%s zero_stage=%d offload=%s)",
                l.tensor(),
                l.pipeline(),
                l.data(),
                l.microBatch(),
                l.schedule(),
                l.zeroStage(),
                word(l.offload()));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
