package io.penstock.engine.state;

import io.penstock.engine.offload.Carrier;
import io.penstock.engine.offload.Carrier.Copy;
import io.penstock.engine.offload.CopyAgent;
import io.penstock.engine.offload.LaneCarrier;
import io.penstock.engine.offload.ShardStore;
import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Owner of the store of what forwards save, and of what carries it there and back. Nothing of it outlives a step, so no checkpoint knows it. */
public final class OffloadedActivations implements AutoCloseable {
    private final ShardStore store;
    private final Carrier carrier;
    /** By chunk, place and region. */
    private final Copy[][][] out;

    private final Copy[][][] back;
    private final long[] lastOfRegion = new long[OffloadedSlots.RESIDENT];

    private OffloadedActivations(
            OffloadedSlots slots, TensorSource regions, Backend backend, ShardStore store, int rank) {
        this.store = store;
        out = copies(slots, regions, true);
        back = copies(slots, regions, false);
        carrier = backend.copies()
                .<Carrier>map(device -> new LaneCarrier(device.lane()))
                .orElseGet(() -> new CopyAgent(store, "penstock-offload-" + rank));
    }

    /**
     * {@code regions}: those of the rank's device, which {@code backend} computes on; {@code stores} opens the place of the rest, host memory of the device where the host does not address
     * it; {@code rank} names the thread.
     */
    public static OffloadedActivations open(
            OffloadedSlots slots,
            TensorSource regions,
            Backend backend,
            Function<TensorTable, ShardStore> stores,
            int rank) {
        ShardStore store = stores.apply(slots.storeTable());
        try {
            return new OffloadedActivations(slots, regions, backend, store, rank);
        } catch (RuntimeException | Error e) {
            store.close();
            throw e;
        }
    }

    private Copy[][][] copies(OffloadedSlots slots, TensorSource regions, boolean toStore) {
        List<Copy[][]> copies = new ArrayList<>();
        for (int chunk = 0; chunk < slots.slots().size(); chunk++) {
            Copy[][] ofChunk = new Copy[slots.held().get(chunk)][OffloadedSlots.RESIDENT];
            for (int place = 0; place < ofChunk.length; place++) {
                Tensor elsewhere = store.tensor(TensorNames.offloadedSlot(chunk, place));
                Arrays.setAll(ofChunk[place], region -> {
                    Tensor whole = regions.tensor(TensorNames.region(region));
                    return new Copy(whole.slice(0, elsewhere.elements()), elsewhere, toStore);
                });
            }
            copies.add(ofChunk);
        }
        return copies.toArray(new Copy[0][][]);
    }

    /** What a micro-batch of a chunk has saved in {@code region} begins to go; nobody may write there before {@link #await}. */
    public void send(int chunk, int microBatch, int region) {
        lastOfRegion[region] = carrier.ask(out[chunk][microBatch % out[chunk].length][region]);
    }

    /** It begins to come back. */
    public void fetch(int chunk, int microBatch, int region) {
        lastOfRegion[region] = carrier.ask(back[chunk][microBatch % back[chunk].length][region]);
    }

    /** What is computed next finds in {@code region} what was fetched into it, and may overwrite what was sent. */
    public void await(int region) {
        carrier.await(lastOfRegion[region]);
    }

    /** Bytes of the store. */
    public long bytes() {
        return store.bytes();
    }

    public String description() {
        return store.description();
    }

    @Override
    public void close() {
        carrier.close();
        store.close();
    }
}
