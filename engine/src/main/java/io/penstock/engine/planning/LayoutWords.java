package io.penstock.engine.planning;

import io.penstock.engine.config.PlannedOffload;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.estimate.Estimate;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Recomputed;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** An estimate's layout as people read it. */
final class LayoutWords {
    private final Estimate chosen;
    private final int blocks;

    /** {@code blocks}: of the model. */
    LayoutWords(Estimate chosen, int blocks) {
        this.chosen = chosen;
        this.blocks = blocks;
    }

    /** "5 full 3 selective", or nothing where nothing is computed again. */
    String recomputed(int rank) {
        Recomputed again = chosen.recomputed(rank);
        List<String> words = new ArrayList<>();
        if (again.full() > 0) {
            words.add(again.full() + " full");
        }
        if (again.selective() > 0) {
            words.add(again.selective() + " selective");
        }
        return String.join(" ", words);
    }

    String layers(int rank) {
        List<Integer> stages = chosen.timeline().schedule().stageOf().get(rank);
        List<String> words = new ArrayList<>();
        for (int stage : stages) {
            words.add(layers(chosen.split().get(stage)));
        }
        return words.size() <= 2 ? String.join(" and ", words) : words.getFirst() + ", ... " + words.getLast();
    }

    private String layers(StageLayers held) {
        int head = blocks + 1;
        List<String> words = new ArrayList<>();
        if (held.from() == 0) {
            words.add("embedding");
        }
        int first = Math.max(held.from(), 1);
        int last = Math.min(held.to(), head) - 1;
        if (first <= last) {
            words.add(first == last ? "h." + (first - 1) : "h." + (first - 1) + " - h." + (last - 1));
        }
        if (held.to() > head) {
            words.add("head");
        }
        return String.join(", ", words);
    }

    static String layout(Layout l) {
        return PlanWords.format(
                "tensor %d%s, pipeline %d, data %d, micro-batch %d x %d, %s%s, zero %d, recompute %s%s",
                l.tensor(),
                l.sequenceParallel() ? " (sequence too)" : "",
                l.pipeline(),
                l.data(),
                l.microBatch(),
                l.microBatches(),
                l.schedule(),
                l.schedule().equals("interleaved-1f1b") ? " x " + l.chunks() : "",
                l.zeroStage(),
                recompute(l),
                l.offload() == Layout.Offload.NONE ? "" : ", offload " + PlannedOffload.of(l.offload()));
    }

    static String recompute(Layout l) {
        return l.recompute() == Layout.Recompute.AS_NEEDED
                ? "as needed"
                : l.recompute().name().toLowerCase(Locale.ROOT);
    }

    /** "none", or "5 full 60 selective" over all ranks. */
    static String recomputedBlocks(Estimate e) {
        int full = 0;
        int selective = 0;
        for (Recomputed again : e.fitting().recomputed()) {
            full += again.full();
            selective += again.selective();
        }
        return full + selective == 0 ? "none" : full + " full " + selective + " selective";
    }
}
