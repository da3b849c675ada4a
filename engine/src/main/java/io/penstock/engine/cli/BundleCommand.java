package io.penstock.engine.cli;

import io.penstock.engine.bundle.BundleParts;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code penstock bundle}. */
@Command(
        name = "bundle",
        description = "Packs Penstock and a Java runtime into one archive, for machines without Java.",
        mixinStandardHelpOptions = true)
final class BundleCommand implements Callable<Integer> {
    /** {@code out} is absent for the usual name in the working folder. */
    record Request(Optional<Path> out, BundleParts parts) {}

    private final Action<Request> action;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "The archive to write; penstock-VERSION-SYSTEM.tar.gz in the working folder if not given.")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--no-gpu", description = "Leave out what only device: cuda needs.")
    private boolean withoutGpu;

    @Option(
            names = "--no-chronicle-map",
            description = "Leave out what only cluster.offload_store.kind: chronicle-map needs.")
    private boolean withoutChronicleMap;

    BundleCommand(Action<Request> action) {
        this.action = action;
    }

    @Override
    public Integer call() throws Exception {
        action.run(new Request(out, new BundleParts(!withoutGpu, !withoutChronicleMap)));
        return ExitCode.DONE.number();
    }
}
