package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import io.penstock.models.ModelSpec;
import io.penstock.models.Recomputation;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Techniques;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The second promise, on the heap: a step allocates nothing once it is compiled; off the heap the ledger tells. */
@Timeout(240)
class ZeroAllocationTest {
    private static final int MEASURED_STEPS = 20;
    private static final int MOST_ROUNDS = 200;

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16", "F16"})
    void shouldAllocateNothingInAStep(DType compute) throws Exception {
        measure(compute, "1f1b", Techniques.NONE);
    }

    @ParameterizedTest
    @CsvSource({"1f1b, FULL", "1f1b, SELECTIVE", "zb-h1, FULL"})
    void shouldAllocateNothingInAStepThatRecomputes(String schedule, Recomputation recomputation) throws Exception {
        int layers = TinyRun.model(true).layers().size();
        measure(DType.BF16, schedule, Techniques.NONE.with(Collections.nCopies(layers, recomputation)));
    }

    /** Reductions, gathers and windows on both replicas. */
    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void shouldAllocateNothingInAStepOfReplicas(int zeroStage) throws Exception {
        measure(DType.BF16, "1f1b", new Techniques(TinyRun.tree(2, zeroStage), List.of()));
    }

    /** The rank and the thread that carries its activations, whose numbers are added. */
    @Test
    void shouldAllocateNothingInAStepWhoseActivationsLeave() throws Exception {
        measure(DType.BF16, "gpipe", Techniques.NONE.with(Offloading.ACTIVATIONS));
    }

    private static long carriers(ThreadMXBean threads) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("penstock-offload-"))
                .mapToLong(thread -> threads.getThreadAllocatedBytes(thread.threadId()))
                .sum();
    }

    private static void measure(DType compute, String schedule, Techniques techniques) throws Exception {
        ModelSpec model = TinyRun.model(true);
        Plan plan = TinyRun.plan(model, schedule, 1, compute, techniques, () -> new CpuBackend(1));
        int ranks = plan.axes().ranks();
        InMemoryFabric fabric = new InMemoryFabric(ranks, EndpointSettings.DEFAULT);
        Allocated allocated = new Allocated(ranks);
        try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
            List<Future<?>> done = new ArrayList<>();
            for (int i = 0; i < ranks; i++) {
                int rank = i;
                done.add(threads.submit(() -> rank(model, plan, fabric.endpoint(rank), allocated)));
            }
            for (Future<?> future : done) {
                future.get();
            }
        }
        assertEquals(
                0,
                allocated.lastRound,
                "bytes allocated in " + MEASURED_STEPS + " steps after " + MOST_ROUNDS * MEASURED_STEPS + " steps");
    }

    /** What all ranks allocated in a round; whoever comes last to its end makes the sum. */
    private static final class Allocated {
        private final AtomicLong sum = new AtomicLong();
        private final CyclicBarrier roundEnd;
        private volatile long lastRound = Long.MAX_VALUE;

        Allocated(int ranks) {
            roundEnd = new CyclicBarrier(ranks, () -> lastRound = sum.getAndSet(0));
        }
    }

    private static void rank(ModelSpec model, Plan plan, Endpoint endpoint, Allocated allocated) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Endpoint wire = endpoint;
                Backend backend = new CpuBackend(1)) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            try (PipelineRank rank = new PipelineRank(
                    model,
                    plan,
                    TinyRun.hyperparameters(),
                    backend,
                    ledger,
                    wire,
                    TinyRun.batches(),
                    TinyRun.stores(wire.rank()))) {
                rank.initialize(1);
                long planned = ledger.totalBytes();
                for (int round = 0; round < MOST_ROUNDS && allocated.lastRound > 0; round++) {
                    long carried = carriers(threads);
                    long before = threads.getCurrentThreadAllocatedBytes();
                    for (int step = 0; step < MEASURED_STEPS; step++) {
                        rank.trainStep(step);
                    }
                    long own = threads.getCurrentThreadAllocatedBytes() - before;
                    allocated.sum.addAndGet(own + carriers(threads) - carried);
                    allocated.roundEnd.await();
                }
                assertEquals(planned, ledger.totalBytes(), "the ledger grew in a step");
            }
            wire.announceDone();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }
}
