package io.penstock.engine.config.yaml;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Collects problems, so that a user sees all of them at once. */
public final class Problems {
    private final List<Problem> list = new ArrayList<>();

    public void add(Place place, String message) {
        Problem problem = new Problem(place, message);
        if (!list.contains(problem)) {
            list.add(problem);
        }
    }

    public boolean isEmpty() {
        return list.isEmpty();
    }

    /** @throws ConfigException with every problem, in file order, if there is any */
    public void throwIfAny() {
        if (!list.isEmpty()) {
            throw new ConfigException(
                    list.stream().sorted(Comparator.comparing(Problem::place)).toList());
        }
    }
}
