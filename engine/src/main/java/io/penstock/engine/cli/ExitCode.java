package io.penstock.engine.cli;

import io.penstock.engine.checkpoint.CheckpointException;
import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.execution.DivergedException;
import io.penstock.engine.launch.EnvironmentException;
import io.penstock.engine.launch.RankFailedException;
import io.penstock.engine.offload.StoreException;
import io.penstock.engine.training.DoesNotFitException;
import io.penstock.models.data.DataException;
import io.penstock.models.weights.ModelFileException;
import io.penstock.partitioner.PlanException;
import io.penstock.tensor.OutOfDeviceMemoryException;
import io.penstock.tensor.cuda.CudaUnavailableException;
import io.penstock.transport.TransportException;
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

    private static ExitCode ofNumber(int number) {
        for (ExitCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return DEFECT;
    }

    /** Of a failure, or of the first of its causes that has one. */
    static ExitCode of(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            ExitCode code = switch (t) {
                case ParameterException e -> BAD_INPUT;
                case ConfigException e -> BAD_INPUT;
                case PlanException e -> BAD_INPUT;
                case ModelFileException e -> BAD_INPUT;
                case DataException e -> BAD_INPUT;
                case CheckpointException e -> BAD_INPUT;
                case EnvironmentException e -> BAD_INPUT;
                case TransportException e -> PEER_LOST;
                case DivergedException e -> DIVERGED;
                case DoesNotFitException e -> DOES_NOT_FIT;
                case RankFailedException e -> ofNumber(e.exitCode());
                case OutOfDeviceMemoryException e -> DOES_NOT_FIT;
                case StoreException e -> DOES_NOT_FIT;
                case CudaUnavailableException e -> DOES_NOT_FIT;
                default -> DEFECT;
            };
            if (code != DEFECT) {
                return code;
            }
        }
        return DEFECT;
    }
}
