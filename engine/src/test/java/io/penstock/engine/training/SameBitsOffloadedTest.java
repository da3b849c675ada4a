package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.Techniques;
import io.penstock.tensor.DType;
import io.penstock.tensor.cpu.CpuBackend;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.InMemoryFabric;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where states lie changes no bit, by the kernels that training uses, in every kind of store. */
@Timeout(240)
final class SameBitsOffloadedTest {
    private static Plan plan(ModelSpec model, DType compute, int data, Offloading offloading) {
        Techniques techniques = new Techniques(TinyRun.tree(data, data > 1 ? 3 : 0), List.of(), offloading);
        return TinyRun.plan(model, "1f1b", 2, compute, techniques, () -> new CpuBackend(1));
    }

    private static TinyRun.Result run(DType compute, int data, Offloading offloading, OffloadStoreKind kind)
            throws Exception {
        ModelSpec model = TinyRun.model(true);
        Plan plan = plan(model, compute, data, offloading);
        InMemoryFabric fabric = new InMemoryFabric(plan.axes().ranks(), EndpointSettings.DEFAULT);
        return TinyRun.run(model, plan, () -> new CpuBackend(1), fabric::endpoint, kind);
    }

    @ParameterizedTest
    @EnumSource
    void shouldComeToTheBitsOfMemory(OffloadStoreKind kind) throws Exception {
        for (DType compute : List.of(DType.F32, DType.BF16)) {
            TinyRun.Result expected = run(compute, 1, Offloading.NONE, kind);
            assertEquals(expected, run(compute, 1, Offloading.OPTIMIZER, kind));
            assertEquals(expected, run(compute, 2, Offloading.PARAMETERS, kind));
        }
    }

    /** Nothing is forgotten and nothing counted twice: what leaves the device is in the store. */
    @Test
    void shouldMoveBytesFromTheDeviceToTheStore() {
        ModelSpec model = TinyRun.model(true);
        List<RankMemory> here = plan(model, DType.BF16, 1, Offloading.NONE).memory();
        List<RankMemory> there =
                plan(model, DType.BF16, 1, Offloading.OPTIMIZER).memory();
        for (int rank = 0; rank < here.size(); rank++) {
            long moved = there.get(rank).store().totalBytes();
            assertTrue(moved > 0);
            assertEquals(0, here.get(rank).store().totalBytes());
            assertEquals(0, there.get(rank).optimizer().totalBytes());
            assertEquals(here.get(rank).totalBytes(), there.get(rank).totalBytes() + moved);
        }
    }
}
