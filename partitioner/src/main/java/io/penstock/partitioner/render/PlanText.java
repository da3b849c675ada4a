package io.penstock.partitioner.render;

import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.RankMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A plan on a terminal: which layers lie where, and a bar of memory a rank. Plain ASCII. */
public final class PlanText {
    private static final int BAR = 40;
    private static final String LEGEND = "pgoasbw";

    private PlanText() {}

    /** One line a stage: "rank 0 stage 0  embedding, h.0 - h.5  (7 layers, 1.2 M parameters)". */
    public static String layout(Plan plan, ModelSpec model) {
        StringBuilder text = new StringBuilder();
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            for (int stage : plan.schedule().stageOf().get(rank)) {
                StageLayers held = plan.stages().get(stage);
                List<LayerSpec> layers = model.layers().subList(held.from(), held.to());
                long parameters =
                        layers.stream().mapToLong(LayerSpec::parameterCount).sum();
                text.append(String.format(
                        Locale.ROOT,
                        "%s  stage %d  %-28s %3d layers, %s parameters%s%n",
                        ranks(plan, rank),
                        stage,
                        names(layers),
                        layers.size(),
                        count((double) parameters),
                        recomputed(plan.techniques().recomputation(held.from(), held.to()))));
            }
        }
        return text.toString();
    }

    /** ", recomputes 3 fully, 2 selectively", or nothing. */
    private static String recomputed(List<Recomputation> layers) {
        long full = layers.stream().filter(Recomputation.FULL::equals).count();
        long selective = layers.stream().filter(Recomputation.SELECTIVE::equals).count();
        List<String> parts = new ArrayList<>();
        if (full > 0) {
            parts.add(full + " fully");
        }
        if (selective > 0) {
            parts.add(selective + " selectively");
        }
        return parts.isEmpty() ? "" : ", recomputes " + String.join(", ", parts);
    }

    /** "rank 3", or "ranks 6 - 7" where replicas hold the same. */
    private static String ranks(Plan plan, int pipelineRank) {
        Axes axes = plan.axes();
        int first = axes.rank(pipelineRank, 0, 0);
        int last = axes.rank(pipelineRank, axes.data() - 1, axes.tensor() - 1);
        return first == last ? "rank " + first : "ranks " + first + " - " + last;
    }

    private static String names(List<LayerSpec> layers) {
        List<String> ends = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            String name = layers.get(i).name();
            boolean named = name.startsWith("h.");
            boolean startsRun = named && (i == 0 || !layers.get(i - 1).name().startsWith("h."));
            boolean endsRun = named
                    && (i == layers.size() - 1 || !layers.get(i + 1).name().startsWith("h."));
            if (!named || (startsRun && endsRun)) {
                ends.add(name);
            } else if (startsRun) {
                ends.add(name + " -");
            } else if (endsRun) {
                ends.set(ends.size() - 1, ends.getLast() + " " + name);
            }
        }
        return String.join(", ", ends);
    }

    /** "124.4 M". */
    public static String count(double number) {
        if (number >= 1e9) {
            return String.format(Locale.ROOT, "%.1f B", number / 1e9);
        }
        return number >= 1e6
                ? String.format(Locale.ROOT, "%.1f M", number / 1e6)
                : String.format(Locale.ROOT, "%.0f", number);
    }

    /** A bar a rank against {@code capacityBytes}, a letter a component, and what each component holds. */
    public static String memory(Plan plan, long capacityBytes) {
        StringBuilder text = new StringBuilder();
        for (int rank = 0; rank < plan.memory().size(); rank++) {
            RankMemory memory = plan.memory().get(rank);
            double share = (double) memory.totalBytes() / capacityBytes;
            text.append(String.format(
                    Locale.ROOT,
                    "%s  [%s] %s of %s (%.0f%%)%s%s%n",
                    ranks(plan, rank),
                    bar(components(memory), capacityBytes),
                    Bytes.text((double) memory.totalBytes()),
                    Bytes.text((double) capacityBytes),
                    100 * share,
                    memory.offloadedBytes() > 0
                            ? ", and " + Bytes.text((double) memory.offloadedBytes()) + " offloaded"
                            : "",
                    share > 1 ? "  DOES NOT FIT" : ""));
        }
        return text.append("        p parameters  g gradients  o optimizer  a activations  s stash  b buffers  w"
                        + " workspace\n")
                .toString();
    }

    private static long[] components(RankMemory memory) {
        return new long[] {
            memory.parameters().totalBytes(),
            memory.gradients().totalBytes(),
            memory.optimizer().totalBytes(),
            memory.activations().totalBytes(),
            memory.stash().totalBytes(),
            memory.buffers().totalBytes(),
            memory.workspaceBytes()
        };
    }

    /** Boundaries are rounded, not widths: the bar's length is the total's. */
    private static String bar(long[] components, long capacityBytes) {
        StringBuilder bar = new StringBuilder();
        double sum = 0;
        for (int i = 0; i < components.length; i++) {
            sum += components[i];
            long end = Math.min(BAR, Math.round(BAR * sum / capacityBytes));
            while (bar.length() < end) {
                bar.append(LEGEND.charAt(i));
            }
        }
        while (bar.length() < BAR) {
            bar.append('.');
        }
        return bar.toString();
    }
}
