package io.penstock.engine.cli;

import io.penstock.engine.checkpoint.CheckpointManifest;
import io.penstock.engine.launch.RankProcess;
import io.penstock.engine.run.RunReporter;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;

/** One rank of {@code penstock train} with {@code launch: processes}; started by it, not by people. */
@Command(name = "rank", hidden = true, description = "One rank of a run; started by 'penstock train'.")
final class RankCommand implements Callable<Integer> {
    /** Of a launcher that was gone before this process asked. */
    private static final long NO_PROCESS = -1;

    private static final int LOOKS = 20;
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private final PrintStream out;

    RankCommand(PrintStream out) {
        this.out = out;
    }

    /** Ends this process, whose launcher was killed, and takes with it what that one's media driver has in shared memory: all gradients of a run with replicas. */
    private static void leave(long launcher) {
        for (int look = 0; look < LOOKS && !DriverHost.sweepAfter(launcher, DriverSettings.SHARED_MEMORY); look++) {
            // Its end of the pipe is closed a moment before it is gone.
            LockSupport.parkNanos(LOOK_NS);
        }
        Runtime.getRuntime().halt(ExitCode.PEER_LOST.number());
    }

    @Override
    public Integer call() throws Exception {
        RankProcess process = RankProcess.of(System.getenv());
        long launcher = ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(NO_PROCESS);
        RankProcess.whenLauncherIsGone(() -> leave(launcher));
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
