package io.penstock.engine.config.yaml;

import java.util.List;
import java.util.stream.Collectors;

/** Everything that is wrong with the user's input, reported once and before anything starts. The command line ends with exit code 2. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    public ConfigException(List<Problem> problems) {
        super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
        this.problems = List.copyOf(problems);
    }

    public ConfigException(Place place, String message) {
        this(List.of(new Problem(place, message)));
    }

    /** In file order; never empty. */
    public List<Problem> problems() {
        return problems;
    }
}
