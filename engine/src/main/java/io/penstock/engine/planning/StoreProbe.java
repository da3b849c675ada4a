package io.penstock.engine.planning;

import io.penstock.engine.config.OffloadStoreKind;
import io.penstock.engine.offload.ShardStore;
import io.penstock.engine.offload.ShardStores;
import io.penstock.engine.offload.StoreException;
import io.penstock.engine.offload.StoreSettings;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;

/** Times a store of a kind in its place: bytes a second that are carried out of memory into it and back, as offloading does. */
final class StoreProbe {
    private static final long BYTES = 32L << 20;
    private static final int ROUNDS = 5;
    private static final String TENSOR = "probe";

    private StoreProbe() {}

    /** Each byte carried counts once. Empty where such a store cannot be had. */
    static OptionalDouble bytesPerSecond(OffloadStoreKind kind, Path directory) {
        TensorTable table = TensorTable.builder()
                .add(TENSOR, DType.F32, Shape.of(BYTES / DType.F32.bytes()))
                .build();
        try (ShardStore store = ShardStores.open(kind, new StoreSettings(directory, 0), table);
                Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(BYTES);
            memory.fill((byte) 1);
            double[] seconds = new double[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                long begin = System.nanoTime();
                carry(store, memory);
                seconds[round] = (System.nanoTime() - begin) * 1e-9;
            }
            Arrays.sort(seconds);
            return OptionalDouble.of(2 * BYTES / seconds[ROUNDS / 2]);
        } catch (StoreException e) {
            return OptionalDouble.empty();
        }
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
