package io.penstock.engine.planning;

import io.penstock.engine.config.Config;
import io.penstock.engine.device.Devices;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.offload.ShardStores;
import io.penstock.engine.offload.StoreException;
import io.penstock.engine.offload.StoreSettings;
import io.penstock.engine.training.OffloadSpace;
import io.penstock.engine.training.RunSetup;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.OptionalDouble;

/** Times a store of a kind in its place: bytes a second that are carried out of memory into it and back, as offloading does. */
final class StoreProbe {
    private static final long BYTES = 32L << 20;
    private static final int ROUNDS = 5;
    private static final String TENSOR = "probe";

    private StoreProbe() {}

    /** Each byte carried counts once. Empty where such a store cannot be had. */
    static OptionalDouble bytesPerSecond(Config config) {
        try {
            return OptionalDouble.of(
                    switch (config.cluster().device()) {
                        case CPU -> byTheHost(config);
                        case CUDA -> byTheDevice(config);
                    });
        } catch (StoreException e) {
            return OptionalDouble.empty();
        }
    }

    private static TensorTable table() {
        return TensorTable.builder()
                .add(TENSOR, DType.F32, Shape.of(BYTES / DType.F32.bytes()))
                .build();
    }

    private static double byTheHost(Config config) {
        StoreSettings settings = new StoreSettings(OffloadSpace.directory(config), 0);
        try (ShardStore store = ShardStores.open(config.cluster().offloadStore().kind(), settings, table());
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(BYTES);
            memory.fill((byte) 1);
            return bytesPerSecond(() -> carry(store, memory));
        }
    }

    /** To pinned memory of the host and back, as activations go. */
    private static double byTheDevice(Config config) {
        try (Backend backend = Devices.open(config.cluster(), 0, RunSetup.compute(config));
                DeviceMemory memory = backend.allocate(BYTES)) {
            DeviceCopies copies = backend.copies().orElseThrow();
            StoreSettings settings = new StoreSettings(OffloadSpace.directory(config), 0);
            try (ShardStore store = ShardStores.open(copies, settings, table());
                    DeviceLane lane = copies.lane()) {
                MemorySegment elsewhere = store.tensor(TENSOR).segment();
                return bytesPerSecond(() -> {
                    lane.startDownload(elsewhere, memory.segment());
                    lane.orderAfter(lane.startUpload(memory.segment(), elsewhere));
                    copies.finish();
                });
            }
        }
    }

    /** Of the median round; one carries all bytes there and back. */
    private static double bytesPerSecond(Runnable carry) {
        double[] seconds = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            long begin = System.nanoTime();
            carry.run();
            seconds[round] = (System.nanoTime() - begin) * 1e-9;
        }
        Arrays.sort(seconds);
        return 2 * BYTES / seconds[ROUNDS / 2];
    }

    private static void carry(ShardStore store, MemorySegment memory) {
        Tensor tensor = store.tensor(TENSOR);
        store.acquire(tensor);
        MemorySegment.copy(memory, 0, tensor.segment(), 0, BYTES);
        store.release(tensor);
        store.acquire(tensor);
        MemorySegment.copy(tensor.segment(), 0, memory, 0, BYTES);
    }
}
