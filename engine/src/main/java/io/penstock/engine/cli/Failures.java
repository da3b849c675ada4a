package io.penstock.engine.cli;

import io.penstock.engine.config.yaml.ConfigException;
import io.penstock.engine.config.yaml.Problem;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a user reads when a command fails: on the error stream, without a stack trace unless {@code --debug} asks for it. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    private final PenstockCommand root;

    Failures(PenstockCommand root) {
        this.root = root;
    }

    @Override
    public int handleParseException(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("penstock: " + e.getMessage());
        if (!UnmatchedArgumentException.printSuggestions(e, err)) {
            err.println("'" + command.getCommandSpec().qualifiedName() + " --help' shows what there is.");
        }
        err.flush();
        return ExitCode.of(e).number();
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult arguments) {
        PrintWriter err = command.getErr();
        ExitCode code = ExitCode.of(e);
        switch (e) {
            case ConfigException config -> {
                int count = config.problems().size();
                err.println("penstock: " + (count == 1 ? "1 problem" : count + " problems") + " in the input");
                for (Problem problem : config.problems()) {
                    err.println("  " + problem);
                }
            }
            default -> err.println("penstock: " + message(e, code));
        }
        if (root.debug()) {
            e.printStackTrace(err);
        }
        err.flush();
        return code.number();
    }

    private static String message(Exception e, ExitCode code) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        return code == ExitCode.DEFECT
                ? e.getClass().getSimpleName() + ": " + message + " (a defect of Penstock; --debug shows where)"
                : message;
    }
}
