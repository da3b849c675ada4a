package io.penstock.engine.cli;

import io.penstock.engine.cli.doctor.DoctorCommand;
import java.util.List;
import picocli.CommandLine;

/** Entry of the command line. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(commandLine(commands()).execute(arguments));
    }

    /** Every command with what it does. */
    static List<Object> commands() {
        return List.of(
                new TrainCommand(new TrainAction(System.out)),
                new PlanCommand(new PlanAction(System.out)),
                new GenerateCommand(new GenerateAction(System.out)),
                new EvaluateCommand(new EvaluateAction(System.out)),
                new InspectCommand(new InspectAction(System.out)),
                new BundleCommand(new BundleAction(System.out)),
                new RankCommand(System.out),
                new DoctorCommand(),
                new VersionCommand());
    }

    static CommandLine commandLine(List<Object> commands) {
        PenstockCommand root = new PenstockCommand();
        CommandLine commandLine = new CommandLine(root);
        commands.forEach(commandLine::addSubcommand);
        commandLine.addSubcommand(new CommandLine.HelpCommand());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        Failures failures = new Failures(root);
        return commandLine.setParameterExceptionHandler(failures).setExecutionExceptionHandler(failures);
    }
}
