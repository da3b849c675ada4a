package io.penstock.engine.config;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Finding;
import io.penstock.engine.config.yaml.Key;
import java.util.ArrayList;
import java.util.List;

/** What {@code penstock plan} plans for a cluster that is elsewhere, and that need not exist: a file whose {@code cluster} has a {@code preset}. Nothing is trained with it. */
public record PlanningConfig(
        @Key("The model, described.") PlannedModel model,

        @Key("How it would be trained.") PlannedTraining training,

        @Key(
                "How the model may lie on the devices: `auto`, or keys that the plan respects while it chooses the others.")
        PlannedLayout parallelism,

        @Key("What it would be trained on.") PlannedCluster cluster) {
    /** @throws ConfigException with every contradiction between the sections */
    public PlanningConfig {
        List<Finding> findings = findings(model, training, parallelism.pinned(), cluster);
        if (!findings.isEmpty()) {
            throw new ConfigException(
                    findings.stream().map(Finding::withoutPlace).toList());
        }
    }

    static List<Finding> findings(
            PlannedModel model, PlannedTraining training, PinnedLayout pinned, PlannedCluster cluster) {
        List<Finding> findings = new ArrayList<>();
        divides(
                findings,
                "model.hidden_size",
                model.hiddenSize(),
                "model.num_attention_heads",
                model.numAttentionHeads());
        model.numKeyValueHeads()
                .ifPresent(heads -> divides(
                        findings,
                        "model.num_attention_heads",
                        model.numAttentionHeads(),
                        "model.num_key_value_heads",
                        heads));
        pinned.tensor()
                .ifPresent(tensor -> divides(
                        findings,
                        "model.num_attention_heads",
                        model.numAttentionHeads(),
                        "parallelism.tensor",
                        tensor));
        long stages = (long) pinned.pipeline().orElse(1) * pinned.chunks().orElse(1);
        if (stages > model.numHiddenLayers() + 2L) {
            findings.add(new Finding(
                    List.of("parallelism.pipeline", "parallelism.chunks", "model.num_hidden_layers"),
                    "more stages than layers: " + stages + " stages, the model has " + (model.numHiddenLayers() + 2L)
                            + " layers (embedding, " + model.numHiddenLayers() + " blocks, head)"));
        }
        long together = (long) pinned.tensor().orElse(1)
                * pinned.pipeline().orElse(1)
                * pinned.data().orElse(1);
        boolean all = pinned.tensor().isPresent()
                && pinned.pipeline().isPresent()
                && pinned.data().isPresent();
        if (all ? together != cluster.devices() : cluster.devices() % together != 0) {
            findings.add(new Finding(
                    List.of("cluster.devices", "parallelism.tensor", "parallelism.pipeline", "parallelism.data"),
                    "devices=" + cluster.devices() + (all ? " is not" : " is no multiple of")
                            + " the product of the axes that are given, " + together));
        }
        long rows = (long) pinned.data().orElse(1) * training.microBatchSize().orElse(1);
        if (training.globalBatchSize() % rows != 0) {
            findings.add(new Finding(
                    List.of("training.global_batch_size", "training.micro_batch_size", "parallelism.data"),
                    "global_batch_size=" + training.globalBatchSize() + " % (micro_batch_size * data = " + rows + ") = "
                            + training.globalBatchSize() % rows + ", expected 0"));
        }
        return findings;
    }

    private static void divides(List<Finding> findings, String wholeKey, int whole, String partKey, int part) {
        if (whole % part != 0) {
            findings.add(new Finding(
                    List.of(partKey, wholeKey),
                    name(wholeKey) + "=" + whole + " % " + name(partKey) + "=" + part + " = " + whole % part
                            + ", expected 0"));
        }
    }

    private static String name(String key) {
        return key.substring(key.indexOf('.') + 1);
    }
}
