package io.penstock.engine.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code penstock} alone: it only has subcommands. */
@Command(
        name = "penstock",
        mixinStandardHelpOptions = true,
        versionProvider = VersionCommand.class,
        description = "Trains large transformer models from the JVM.",
        footer = {
            "",
            "The script also knows: bench [PATTERN] runs benchmarks, test runs the whole suite, java-home names the JDK it uses.",
            "Exit codes: 0 done; 1 a defect; 2 bad input; 3 does not fit or no such device; 4 a peer or the network was lost;",
            "5 training diverged; 130, 143 signals."
        })
final class PenstockCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces of failures.")
    private boolean debug;

    boolean debug() {
        return debug;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "which command? one of " + String.join(", ", spec.subcommands().keySet()));
    }
}
