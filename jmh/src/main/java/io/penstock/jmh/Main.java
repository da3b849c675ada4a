package io.penstock.jmh;

import java.util.Collection;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

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
        Runner runner = new Runner(options);
        if (options.shouldList() || options.shouldListWithParams()) {
            runner.list();
            return 0;
        }
        Collection<RunResult> results = runner.run();
        if (results.isEmpty()) {
            return 2;
        }
        new Comparison(results).print(System.out);
        return 0;
    }

    private static void printHelp(CommandLineOptions options) {
        try {
            options.showHelp();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
