package io.penstock.engine.config.yaml;

import java.util.List;

/**
 * A problem of values that are well formed one by one, before it is known where they were written.
 *
 * @param keys dotted paths of the keys involved; the first one that the user wrote is where the problem is reported
 */
public record Finding(List<String> keys, String message) {
    public Finding {
        keys = List.copyOf(keys);
    }

    /** For configurations that were built in Java: the key is the place. */
    public Problem withoutPlace() {
        return new Problem(Place.of(keys.get(0)), message);
    }
}
