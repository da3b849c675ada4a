package io.penstock.engine.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.ScheduleText;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
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

    private static Plan activationsPlan(ModelSpec model, String schedule, Offloading offloading) {
        Techniques techniques = new Techniques(TinyRun.tree(1, 0), List.of(), offloading);
        return TinyRun.plan(model, schedule, 2, DType.BF16, techniques, () -> new CpuBackend(1));
    }

    /** Schedules that hold many micro-batches, with states elsewhere too. */
    @ParameterizedTest
    @EnumSource
    void shouldComeToTheBitsOfMemoryWithActivationsElsewhere(OffloadStoreKind kind) throws Exception {
        TinyRun.Result expected = run(DType.BF16, 1, Offloading.NONE, kind);
        ModelSpec model = TinyRun.model(true);
        for (String schedule : List.of("gpipe", "zb-v")) {
            Plan plan = activationsPlan(model, schedule, Offloading.ACTIVATIONS.and(Offloading.OPTIMIZER));
            InMemoryFabric fabric = new InMemoryFabric(2, EndpointSettings.DEFAULT);
            assertEquals(expected, TinyRun.run(model, plan, () -> new CpuBackend(1), fabric::endpoint, kind), schedule);
        }
    }

    private static long workspace() {
        try (CpuBackend backend = new CpuBackend(1)) {
            return backend.workspaceBytes();
        }
    }

    /** An order of a user's own, in which forwards overtake each other. */
    @Test
    void shouldComeToTheBitsOfMemoryInAnOrderFromAFile() throws Exception {
        String order = "F0 F2 F1 F4 F3 F5 F7 F6 B0 B1 B2 B3 B4 B5 B6 B7\n";
        Schedule schedule =
                ScheduleText.parse("name: mine\nmicro-batches: 8\nstages 0: " + order + "stages 1: " + order, true);
        ModelSpec model = TinyRun.model(true);
        Plan plan = Planner.plan(
                model,
                TinyRun.SHAPE,
                DType.BF16,
                schedule,
                new Techniques(TinyRun.tree(1, 0), List.of(), Offloading.ACTIVATIONS),
                CostModel.DeviceRates.cpu(DType.BF16),
                workspace());
        InMemoryFabric fabric = new InMemoryFabric(2, EndpointSettings.DEFAULT);
        assertTrue(plan.memory().getLast().offloadedBytes() > 0);
        assertEquals(
                run(DType.BF16, 1, Offloading.NONE, OffloadStoreKind.HOST),
                TinyRun.run(model, plan, () -> new CpuBackend(1), fabric::endpoint, OffloadStoreKind.HOST));
    }

    /** Two micro-batches and their messages stay, the store has room for all. */
    @Test
    void shouldKeepTwoMicroBatchesOnTheDevice() {
        ModelSpec model = TinyRun.model(true);
        List<RankMemory> here = activationsPlan(model, "gpipe", Offloading.NONE).memory();
        List<RankMemory> there =
                activationsPlan(model, "gpipe", Offloading.ACTIVATIONS).memory();
        for (int rank = 0; rank < here.size(); rank++) {
            long whole = here.get(rank).activations().totalBytes();
            assertEquals(
                    2 * whole / TinyRun.MICRO_BATCHES,
                    there.get(rank).activations().totalBytes());
            assertEquals(whole, there.get(rank).offloadedBytes());
            long received = rank == 0 ? 0 : 2 * TensorTable.align(TinyRun.SHAPE.rows() * 24 * DType.BF16.bytes());
            assertEquals(
                    here.get(rank).buffers().totalBytes() + received,
                    there.get(rank).buffers().totalBytes());
        }
    }

    /** A rank that holds two micro-batches at most would gain nothing. */
    @Test
    void shouldLeaveAloneWhatWouldNotShrink() {
        ModelSpec model = TinyRun.model(true);
        List<RankMemory> there =
                activationsPlan(model, "1f1b", Offloading.ACTIVATIONS).memory();
        List<RankMemory> here = activationsPlan(model, "1f1b", Offloading.NONE).memory();
        for (int rank = 0; rank < here.size(); rank++) {
            assertEquals(0, there.get(rank).offloadedBytes());
            assertEquals(here.get(rank).totalBytes(), there.get(rank).totalBytes());
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
