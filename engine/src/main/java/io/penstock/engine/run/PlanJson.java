package io.penstock.engine.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.schedule.Instruction;
import java.util.List;

/** {@code plan.json}: what every rank holds and does, for scripts and for people who ask later. */
public final class PlanJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private PlanJson() {}

    public static String write(Plan plan, ModelSpec model) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(tree(plan, model)) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same as a tree, to be part of another. */
    public static ObjectNode tree(Plan plan, ModelSpec model) {
        ObjectNode root = JSON.createObjectNode();
        root.put("parameters", model.parameterCount());
        root.put("schedule", plan.schedule().name());
        root.put("micro_batches", plan.schedule().microBatches());
        root.put("micro_batch_size", plan.microBatch().batch());
        root.put("sequence_length", plan.microBatch().sequence());
        root.put("compute", plan.compute().toString());
        ArrayNode ranks = root.putArray("ranks");
        for (int rank = 0; rank < plan.schedule().ranks(); rank++) {
            rank(ranks.addObject(), plan, model, rank);
        }
        return root;
    }

    private static void rank(ObjectNode node, Plan plan, ModelSpec model, int rank) {
        node.put("rank", rank);
        ArrayNode stages = node.putArray("stages");
        for (int stage : plan.schedule().stageOf().get(rank)) {
            StageLayers range = plan.stages().get(stage);
            ObjectNode held = stages.addObject().put("stage", stage);
            ArrayNode layers = held.putArray("layers");
            for (LayerSpec layer : model.layers().subList(range.from(), range.to())) {
                layers.add(layer.name());
            }
            ArrayNode recomputation = held.putArray("recomputation");
            plan.techniques().recomputation(range.from(), range.to()).forEach(how -> recomputation.add(how.toString()));
        }
        RankMemory memory = plan.memory().get(rank);
        node.putObject("memory_bytes")
                .put("parameters", memory.parameters().totalBytes())
                .put("gradients", memory.gradients().totalBytes())
                .put("optimizer", memory.optimizer().totalBytes())
                .put("activations", memory.activations().totalBytes())
                .put("stash", memory.stash().totalBytes())
                .put("buffers", memory.buffers().totalBytes())
                .put("workspace", memory.workspaceBytes())
                .put("total", memory.totalBytes())
                .put("offloaded_states", memory.store().totalBytes())
                .put(
                        "offloaded_activations",
                        memory.offloadedSlots().storeTable().totalBytes())
                .put("offloaded", memory.offloadedBytes());
        ArrayNode program = node.putArray("program");
        List<Instruction> instructions = plan.schedule().instructions().get(rank);
        instructions.forEach(instruction -> program.add(instruction.toString()));
    }
}
