package io.penstock.engine.cli;

import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.launch.RankProcess;
import io.penstock.engine.run.RunReporter;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** One rank of {@code penstock train} with {@code launch: processes}; started by it, not by people. */
@Command(name = "rank", hidden = true, description = "One rank of a run; started by 'penstock train'.")
final class RankCommand implements Callable<Integer> {
    private final PrintStream out;

    RankCommand(PrintStream out) {
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        RankProcess process = RankProcess.of(System.getenv());
        RankProcess.whenLauncherIsGone(() -> Runtime.getRuntime().halt(ExitCode.PEER_LOST.number()));
        RunLogs.process(process.job().directory().log(process.rank()));
        if (process.rank() != 0) {
            process.run(new NoListener());
            return ExitCode.DONE.number();
        }
        int stepsDone = process.job()
                .resume()
                .map(path -> CheckpointManifest.read(path).step())
                .orElse(0);
        try (RunReporter reporter = TrainAction.reporter(process.job(), stepsDone, process.terminal(), out)) {
            process.run(reporter);
        }
        return ExitCode.DONE.number();
    }
}
