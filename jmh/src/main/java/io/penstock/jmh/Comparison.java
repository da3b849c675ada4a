package io.penstock.jmh;

import java.io.PrintStream;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/**
 * The results of one run, a line for each benchmark class and set of parameters: its {@code penstock} method beside {@code baseline} (libtorch) and {@code floor} (what the
 * machine allows). {@code times peer} above 1: faster than the peer; {@code of floor}: the share of the machine's rate that is reached;
 * MiB: peak resident memory; cores: how many were kept busy, which a shared machine may not give.
 */
final class Comparison {
    private static final String ROW = "%-58s %12s %12s %12s  %-7s %10s %9s %8s %8s %6s %6s%n";

    /** The auxiliary counter that, where present, stands for the score; higher is better. */
    static final String RATE = "rate";

    /** Scores by method name. */
    private final Map<String, Map<String, RunResult>> lines = new LinkedHashMap<>();

    Comparison(Collection<RunResult> results) {
        for (RunResult result : results) {
            BenchmarkParams params = result.getParams();
            String benchmark = params.getBenchmark();
            int dot = benchmark.lastIndexOf('.');
            String name = benchmark.substring(benchmark.lastIndexOf('.', dot - 1) + 1, dot);
            String keys = params.getParamsKeys().stream()
                    .map(key -> key + "=" + params.getParam(key))
                    .collect(Collectors.joining(" "));
            lines.computeIfAbsent(name + " " + keys, key -> new LinkedHashMap<>())
                    .put(benchmark.substring(dot + 1), result);
        }
    }

    void print(PrintStream out) {
        out.println();
        out.printf(
                ROW,
                "",
                "penstock",
                "baseline",
                "floor",
                "unit",
                "times peer",
                "of floor",
                "MiB",
                "peer",
                "cores",
                "peer");
        lines.forEach((line, byMethod) -> {
            RunResult any = byMethod.values().iterator().next();
            boolean higherIsBetter = any.getParams().getMode() == Mode.Throughput
                    || any.getSecondaryResults().containsKey(RATE);
            OptionalDouble own = score(byMethod, "penstock");
            OptionalDouble peer = score(byMethod, "baseline");
            OptionalDouble floor = score(byMethod, "floor");
            out.printf(
                    ROW,
                    line,
                    number(own),
                    number(peer),
                    number(floor),
                    any.getSecondaryResults().containsKey(RATE)
                            ? "rate/s"
                            : result(any).getScoreUnit(),
                    number(ratio(own, peer, higherIsBetter)),
                    number(ratio(own, floor, higherIsBetter)),
                    number("%.0f", use(byMethod, "penstock", ProcessUse.PEAK)),
                    number("%.0f", use(byMethod, "baseline", ProcessUse.PEAK)),
                    number("%.2f", use(byMethod, "penstock", ProcessUse.CORES)),
                    number("%.2f", use(byMethod, "baseline", ProcessUse.CORES)));
        });
    }

    private static OptionalDouble score(Map<String, RunResult> byMethod, String method) {
        RunResult result = byMethod.get(method);
        return result == null
                ? OptionalDouble.empty()
                : OptionalDouble.of(result(result).getScore());
    }

    private static OptionalDouble use(Map<String, RunResult> byMethod, String method, String what) {
        RunResult result = byMethod.get(method);
        Result<?> use = result == null ? null : result.getSecondaryResults().get(what);
        return use == null ? OptionalDouble.empty() : OptionalDouble.of(use.getScore());
    }

    /** The rate that a benchmark counts, where it counts one; else its primary result. */
    private static Result<?> result(RunResult result) {
        Result<?> rate = result.getSecondaryResults().get(RATE);
        return rate == null ? result.getPrimaryResult() : rate;
    }

    private static OptionalDouble ratio(OptionalDouble own, OptionalDouble other, boolean higherIsBetter) {
        if (own.isEmpty() || other.isEmpty()) {
            return OptionalDouble.empty();
        }
        double ratio = own.getAsDouble() / other.getAsDouble();
        return OptionalDouble.of(higherIsBetter ? ratio : 1 / ratio);
    }

    private static String number(OptionalDouble value) {
        return number("%.3f", value);
    }

    private static String number(String format, OptionalDouble value) {
        return value.isEmpty() ? "-" : String.format(Locale.ROOT, format, value.getAsDouble());
    }
}
