package io.penstock.jmh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * {@code penstock bench [PATTERN] [options of JMH]}: runs the benchmarks whose names match, then prints each beside its peer and its floor. Forks get the flags of
 * this JVM, so those of {@code jvm.properties}. Exit codes: 0 done, 2 bad arguments or nothing matched.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws RunnerException {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) throws RunnerException {
        CommandLineOptions options;
        try {
            options = new CommandLineOptions(arguments);
        } catch (CommandLineOptionException e) {
            System.err.println(e.getMessage());
            return 2;
        }
        if (options.shouldHelp()) {
            printHelp(options);
            return 0;
        }
        if (options.shouldList()) {
            new Runner(options).list();
            return 0;
        }
        if (options.shouldListWithParams()) {
            new Runner(options).listWithParams(options);
            return 0;
        }
        Collection<RunResult> results;
        try {
            results = run(options);
        } catch (NoBenchmarksException e) {
            System.err.println("no benchmark matches " + options.getIncludes() + ": ./penstock bench -l lists them");
            return 2;
        }
        new Comparison(results).print(System.out);
        return 0;
    }

    private static Collection<RunResult> run(CommandLineOptions options) throws RunnerException {
        return new Runner(new OptionsBuilder()
                        .parent(options)
                        .addProfiler(ProcessUse.class)
                        .build())
                .run();
    }

    private static void printHelp(CommandLineOptions options) {
        try {
            options.showHelp();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
