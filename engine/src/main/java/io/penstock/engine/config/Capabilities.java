package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Finding;
import java.util.ArrayList;
import java.util.List;

/** What the configuration can say and this version cannot do yet, in its only place: a feature that lands takes its line away. */
final class Capabilities {
    private final List<Finding> findings = new ArrayList<>();

    private Capabilities() {}

    static List<Finding> findings(TrainingConfig training) {
        Capabilities lacking = new Capabilities();
        lacking.unless(training.precision() != Precision.F16, "training.precision", "f16", "f32 and bf16");
        return lacking.findings;
    }

    private void unless(boolean available, String key, Object value, String instead) {
        if (!available) {
            findings.add(new Finding(
                    List.of(key), key + ": " + value + " is not available yet in this version, " + instead + " is"));
        }
    }
}
