package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Finding;
import java.util.ArrayList;
import java.util.List;

/** What the configuration can say and this version cannot do yet, in its only place: a feature that lands takes its line away. */
final class Capabilities {
    private final List<Finding> findings = new ArrayList<>();

    private Capabilities() {}

    static List<Finding> findings(TrainingConfig training, Parallelism parallelism, ClusterConfig cluster) {
        Capabilities lacking = new Capabilities();
        lacking.unless(training.precision() != Precision.F16, "training.precision", "f16", "f32 and bf16");
        if (cluster.device() == DeviceKind.CUDA) {
            lacking.cuda(parallelism);
        }
        return lacking.findings;
    }

    private void cuda(Parallelism parallelism) {
        if (!(parallelism instanceof Layout layout)) {
            findings.add(new Finding(
                    List.of("parallelism", "cluster.device"),
                    "parallelism: auto chooses by times of this machine's layers, which are not measured on a GPU yet:"
                            + " give the layout key by key"));
        } else if (layout.offload().stream().anyMatch(what -> what != Offload.NONE)) {
            findings.add(new Finding(
                    List.of("parallelism.offload", "cluster.device"),
                    "parallelism.offload: " + layout.offload()
                            + " is not available with cluster.device: cuda yet, none is: what is offloaded lies in"
                            + " memory that a GPU does not reach"));
        }
    }

    private void unless(boolean available, String key, Object value, String instead) {
        if (!available) {
            findings.add(new Finding(
                    List.of(key), key + ": " + value + " is not available yet in this version, " + instead + " is"));
        }
    }
}
