package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.penstock.models.ModelSpec;
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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The second promise, on the heap: a step allocates nothing once it is compiled; off the heap the ledger tells. */
@Timeout(240)
class ZeroAllocationTest {
    private static final int MEASURED_STEPS = 20;
    private static final int MOST_ROUNDS = 200;

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void shouldAllocateNothingInAStep(DType compute) {
        ModelSpec model = TinyRun.model(true);
        Plan plan = TinyRun.plan(model, "1f1b", 1, compute, Techniques.NONE, () -> new CpuBackend(1));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Backend backend = new CpuBackend(1);
                Endpoint endpoint = new InMemoryFabric(1, EndpointSettings.DEFAULT).endpoint(0)) {
            MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
            try (PipelineRank rank = new PipelineRank(
                    model, plan, TinyRun.hyperparameters(), backend, ledger, endpoint, TinyRun.batches())) {
                rank.initialize(1);
                long planned = ledger.totalBytes();
                long allocated = Long.MAX_VALUE;
                for (int round = 0; round < MOST_ROUNDS && allocated > 0; round++) {
                    long before = threads.getCurrentThreadAllocatedBytes();
                    for (int step = 0; step < MEASURED_STEPS; step++) {
                        rank.trainStep(step);
                    }
                    allocated = threads.getCurrentThreadAllocatedBytes() - before;
                }
                assertTrue(
                        allocated == 0,
                        allocated + " bytes allocated in " + MEASURED_STEPS + " steps after "
                                + MOST_ROUNDS * MEASURED_STEPS + " steps");
                assertTrue(ledger.totalBytes() == planned, "the ledger grew in a step");
            }
            endpoint.announceDone();
        }
    }
}
