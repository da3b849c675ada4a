package io.penstock.jmh;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * What the fork took of the machine: its largest resident size so far (Linux's VmHWM; nothing elsewhere), how many cores it kept busy in an iteration, and what that left on the native heap. On a machine that
 * others use, a rate means little without the cores that it had.
 */
public final class ProcessUse implements InternalProfiler {
    static final String PEAK = "peak";
    static final String CORES = "cores";

    /** What an iteration left allocated by malloc. */
    private static final String MALLOC = "malloc";

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String FIELD = "VmHWM:";

    private final OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private long startMalloc;
    private long startNs;
    private long startCpuNs;

    @Override
    public String getDescription() {
        return "Peak resident memory of the fork, the cores that it kept busy, the growth of its native heap";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        startMalloc = NativeHeap.bytesInUse().orElse(0);
        startCpuNs = system.getProcessCpuTime();
        startNs = System.nanoTime();
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        double cores = (double) (system.getProcessCpuTime() - startCpuNs) / (System.nanoTime() - startNs);
        List<Result<?>> results = new ArrayList<>();
        results.add(new ScalarResult(CORES, cores, "cores", AggregationPolicy.AVG));
        double malloc = NativeHeap.bytesInUse().orElse(0) - startMalloc;
        results.add(new ScalarResult(MALLOC, malloc, "bytes", AggregationPolicy.MAX));
        if (Files.isReadable(STATUS)) {
            results.add(new ScalarResult(PEAK, peakMebibytes(), "MiB", AggregationPolicy.MAX));
        }
        return results;
    }

    /** From {@code VmHWM:    12345 kB}. */
    private static double peakMebibytes() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith(FIELD)) {
                    String kibibytes = line.substring(FIELD.length()).replace("kB", "");
                    return Double.parseDouble(kibibytes.strip()) / 1024;
                }
            }
            throw new IllegalStateException("no " + FIELD + " in " + STATUS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
