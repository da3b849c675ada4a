package io.penstock.engine.state;

import io.penstock.partitioner.RankMemory;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.MemoryLedger;

/** Owner of a rank's activations, stash and message buffers. */
public final class ActivationPool implements AutoCloseable {
    private final CarvedMemory activations;
    private final CarvedMemory stash;
    private final CarvedMemory buffers;

    private ActivationPool(CarvedMemory activations, CarvedMemory stash, CarvedMemory buffers) {
        this.activations = activations;
        this.stash = stash;
        this.buffers = buffers;
    }

    public static ActivationPool allocate(RankMemory memory, MemoryLedger ledger) {
        return new ActivationPool(
                CarvedMemory.allocate("activations", memory.activations(), ledger),
                CarvedMemory.allocate("stash", memory.stash(), ledger),
                CarvedMemory.allocate("buffers", memory.buffers(), ledger));
    }

    public CarvedMemory activations() {
        return activations;
    }

    public CarvedMemory stash() {
        return stash;
    }

    public CarvedMemory buffers() {
        return buffers;
    }

    @Override
    public void close() {
        buffers.close();
        stash.close();
        activations.close();
    }
}
