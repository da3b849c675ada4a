package io.penstock.engine.cli;

import io.penstock.engine.bundle.Bundle;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;

/** {@code penstock bundle}: says where the archive lies and how large it is. */
final class BundleAction implements Action<BundleCommand.Request> {
    private final PrintStream out;

    BundleAction(PrintStream out) {
        this.out = out;
    }

    @Override
    public void run(BundleCommand.Request request) throws IOException {
        String name = "penstock-" + VersionCommand.version();
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-" + System.getProperty("os.arch");
        Path archive =
                request.out().orElse(Path.of(name + "-" + system + ".tar.gz")).toAbsolutePath();
        long bytes = Bundle.ofThisProcess().write(archive, name, request.parts());
        out.printf(Locale.ROOT, "%s, %.1f MB; unpack it and run %s/bin/penstock%n", archive, bytes / 1e6, name);
    }
}
