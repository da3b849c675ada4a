package io.penstock.engine.cli;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.models.weights.ModelFileException;
import io.penstock.partitioner.PlanException;
import io.penstock.tensor.OutOfDeviceMemoryException;
import picocli.CommandLine.ParameterException;

/** How a command ends, and the only place that says which failure ends it how. 130 and 143, for signals, are the JVM's own. */
enum ExitCode {
    DONE(0),
    /** A defect of Penstock: any failure that is none of the others. */
    DEFECT(1),
    BAD_INPUT(2),
    DOES_NOT_FIT(3),
    PEER_LOST(4),
    DIVERGED(5);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    /** Of a failure, or of the first of its causes that has one. */
    static ExitCode of(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            ExitCode code = switch (t) {
                case ParameterException e -> BAD_INPUT;
                case ConfigException e -> BAD_INPUT;
                case PlanException e -> BAD_INPUT;
                case ModelFileException e -> BAD_INPUT;
                case OutOfDeviceMemoryException e -> DOES_NOT_FIT;
                default -> DEFECT;
            };
            if (code != DEFECT) {
                return code;
            }
        }
        return DEFECT;
    }
}
