package io.penstock.jmh;

import io.penstock.jmh.transport.AllReduceBenchmark;
import io.penstock.jmh.transport.IdleBenchmark;
import io.penstock.jmh.transport.NetworkBenchmark;
import io.penstock.jmh.transport.RoundTripBenchmark;
import io.penstock.jmh.transport.ThroughputBenchmark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * {@code penstock bench [PATTERN] [options of JMH]}: runs the benchmarks whose names match, then prints each beside its peer and its floor. Forks get the flags of
 * this JVM, so those of {@code jvm.properties}. Those of several processes ({@link Standalone}) take the patterns and {@code -i} as the number of trials. Exit codes: 0
 * done, 2 bad arguments or nothing matched.
 */
public final class Main {
    private static final List<Standalone> STANDALONE = List.of(
            new ThroughputBenchmark(),
            new RoundTripBenchmark(),
            new AllReduceBenchmark(),
            new NetworkBenchmark(),
            new IdleBenchmark());
    private static final int TRIALS = 3;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        System.exit(run(arguments));
    }

    private static int run(String[] arguments) throws Exception {
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
            matching(options).forEach(benchmark -> System.out.println(benchmark.name()));
            return 0;
        }
        if (options.shouldListWithParams()) {
            new Runner(options).listWithParams(options);
            matching(options).forEach(benchmark -> System.out.println(benchmark.name()));
            return 0;
        }
        List<Standalone> standalone = matching(options);
        boolean hasOwn = matchesJmh(options);
        if (!hasOwn && standalone.isEmpty()) {
            System.err.println("no benchmark matches " + options.getIncludes() + ": ./penstock bench -l lists them");
            return 2;
        }
        if (hasOwn) {
            new Comparison(run(options)).print(System.out);
        }
        for (Standalone benchmark : standalone) {
            benchmark.run(options.getMeasurementIterations().orElse(TRIALS));
        }
        return 0;
    }

    /** JMH itself would take its lock, which another run may hold, before it found nothing. */
    private static boolean matchesJmh(CommandLineOptions options) {
        OutputFormat silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
        return !BenchmarkList.defaultList()
                .find(silent, options.getIncludes(), options.getExcludes())
                .isEmpty();
    }

    private static List<Standalone> matching(CommandLineOptions options) {
        return STANDALONE.stream()
                .filter(benchmark -> options.getIncludes().isEmpty() || isIn(options.getIncludes(), benchmark))
                .filter(benchmark -> !isIn(options.getExcludes(), benchmark))
                .toList();
    }

    private static boolean isIn(List<String> patterns, Standalone benchmark) {
        return patterns.stream()
                .anyMatch(pattern ->
                        Pattern.compile(pattern).matcher(benchmark.name()).find());
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
