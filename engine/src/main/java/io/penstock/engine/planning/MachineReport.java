package io.penstock.engine.planning;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.run.PlanJson;
import io.penstock.engine.training.OffloadSpace;
import io.penstock.partitioner.PlanHoldings;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.render.Bytes;
import io.penstock.partitioner.render.ChromeTrace;
import io.penstock.partitioner.render.PlanText;
import io.penstock.partitioner.render.TimelinePage;
import io.penstock.partitioner.simulate.Timeline;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Plans of this machine to look at. The first is the one that is shown, the others are its alternatives. */
public final class MachineReport {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<MachinePlan> plans;
    private final MachinePlan chosen;
    private final Budget budget;

    public MachineReport(List<MachinePlan> plans, Budget budget) {
        this.plans = List.copyOf(plans);
        this.chosen = plans.getFirst();
        this.budget = budget;
    }

    public String text() {
        StringBuilder text = new StringBuilder();
        text.append(PlanWords.format(
                "%s: %s parameters, %s, %s%n",
                chosen.model().config().architecture(),
                PlanText.count((double) chosen.model().parameterCount()),
                chosen.config().training().precision(),
                chosen.layout()));
        text.append(PlanText.layout(chosen.plan(), chosen.model()));
        text.append(PlanText.memory(chosen.plan(), chosen.limitBytes()));
        if (chosen.offloadedBytes() > 0) {
            text.append(PlanWords.format(
                    "offloads %s: %s of all ranks to %s%n",
                    chosen.offloadWords(),
                    Bytes.text((double) chosen.offloadedBytes()),
                    OffloadSpace.place(chosen.config())));
        }
        text.append(PlanWords.format(
                "step %s for %,d tokens, %,.0f tokens/s%n",
                PlanWords.seconds(chosen.seconds()), chosen.tokens(), chosen.tokensPerSecond()));
        text.append(PlanWords.split(chosen.split())).append('\n');
        text.append(PlanWords.budget(
                        budget,
                        chosen.tokensPerSecond(),
                        chosen.config().layout().ranks()))
                .append('\n');
        if (plans.size() > 1) {
            text.append("the best:\n");
            for (List<String> row : rows()) {
                text.append(PlanWords.format(
                        "  %-58s %10s %10s %12s  %s%n", row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)));
            }
        }
        return text.append("times by ").append(chosen.basis()).append('\n').toString();
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("layout", "step", "tokens/s", "memory", "limited by"));
        for (MachinePlan plan : plans) {
            rows.add(List.of(
                    plan.layout(),
                    PlanWords.seconds(plan.seconds()),
                    PlanWords.format("%,.0f", plan.tokensPerSecond()),
                    Bytes.text((double) plan.mostBytes()),
                    plan.limitedBy()));
        }
        return rows;
    }

    /** A row a pipeline rank. */
    private List<List<String>> offloaded() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("rank", "states", "activations", "kept on the device", "to"));
        for (int rank = 0; rank < chosen.plan().memory().size(); rank++) {
            RankMemory memory = chosen.plan().memory().get(rank);
            rows.add(List.of(
                    String.valueOf(chosen.plan().axes().rank(rank, 0, 0)),
                    Bytes.text((double) memory.store().totalBytes()),
                    Bytes.text((double) memory.offloadedSlots().storeTable().totalBytes()),
                    Bytes.text((double) memory.totalBytes()),
                    OffloadSpace.place(chosen.config())));
        }
        return rows;
    }

    private Map<String, Timeline> timelines(Map<String, Timeline> measured) {
        Map<String, Timeline> timelines = new LinkedHashMap<>();
        timelines.put("predicted", chosen.timeline());
        timelines.putAll(measured);
        return timelines;
    }

    /** The same timelines as {@link #html} draws, for Chrome and Perfetto. */
    public String trace(Map<String, Timeline> measured) {
        return ChromeTrace.json(timelines(measured));
    }

    /** The page, with further timelines after the predicted one. */
    public String html(Map<String, Timeline> measured) {
        Map<String, Timeline> timelines = timelines(measured);
        List<TimelinePage.Table> tables = new ArrayList<>();
        tables.add(new TimelinePage.Table(
                "Step",
                List.of(
                        List.of("step", "tokens/s", "compute", "bubble", "messages", "end of step", "times by"),
                        List.of(
                                PlanWords.seconds(chosen.seconds()),
                                PlanWords.format("%,.0f", chosen.tokensPerSecond()),
                                PlanWords.seconds(chosen.split().compute()),
                                PlanWords.seconds(chosen.split().bubble()),
                                PlanWords.seconds(chosen.split().messages()),
                                PlanWords.seconds(chosen.split().end()),
                                chosen.basis()))));
        if (chosen.offloadedBytes() > 0) {
            tables.add(new TimelinePage.Table("Offloaded", offloaded()));
        }
        if (plans.size() > 1) {
            tables.add(new TimelinePage.Table("Alternatives", rows()));
        }
        return TimelinePage.html(
                chosen.config().run().name() + ": " + chosen.layout(),
                timelines,
                new PlanHoldings(chosen.plan()).curves(chosen.timeline()),
                (double) chosen.limitBytes(),
                tables);
    }

    public ObjectNode json() {
        ObjectNode root = JSON.createObjectNode();
        root.set("plan", PlanJson.tree(chosen.plan(), chosen.model()));
        describe(root, chosen);
        root.put("limit_bytes", chosen.limitBytes());
        if (chosen.offloadedBytes() > 0) {
            root.put("offloaded_to", OffloadSpace.place(chosen.config()));
        }
        root.put("times_by", chosen.basis());
        root.putObject("budget")
                .put("tokens", budget.tokens())
                .put("hours", budget.hours(chosen.tokensPerSecond()))
                .put(
                        "cost",
                        budget.cost(
                                chosen.tokensPerSecond(),
                                chosen.config().layout().ranks()));
        ArrayNode alternatives = root.putArray("best");
        plans.forEach(plan -> describe(alternatives.addObject(), plan));
        return root;
    }

    private static void describe(ObjectNode node, MachinePlan plan) {
        node.put("pipeline", plan.config().layout().pipeline())
                .put("data", plan.config().layout().data())
                .put("zero_stage", plan.config().layout().zeroStage())
                .put("chunks", plan.config().layout().chunks())
                .put("schedule", plan.plan().schedule().name())
                .put("micro_batch_size", plan.plan().microBatch().batch())
                .put("step_seconds", plan.seconds())
                .put("tokens_per_second", plan.tokensPerSecond())
                .put("memory_bytes", plan.mostBytes())
                .put("offloaded_bytes", plan.offloadedBytes())
                .put("limited_by", plan.limitedBy());
        node.putObject("split_seconds")
                .put("compute", plan.split().compute())
                .put("bubble", plan.split().bubble())
                .put("messages", plan.split().messages())
                .put("end", plan.split().end());
    }
}
