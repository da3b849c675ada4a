package io.penstock.engine.state;

import io.penstock.engine.offload.ShardStore;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** Brings offloaded states in before they are used and sends them out after. Does nothing where everything is in device memory. */
public final class Residency {
    private final @Nullable ShardStore store;

    Residency(@Nullable ShardStore store) {
        this.store = store;
    }

    /** The states of a parameter will soon be updated. */
    public void prefetch(ParameterState state) {
        if (store != null) {
            store.prefetch(state.firstMoment());
            store.prefetch(state.secondMoment());
            if (state.hasMaster()) {
                store.prefetch(state.master());
            }
        }
    }

    /** The states of a parameter are about to be updated. */
    public void acquire(ParameterState state) {
        if (store != null) {
            store.acquire(state.firstMoment());
            store.acquire(state.secondMoment());
            if (state.hasMaster()) {
                store.acquire(state.master());
            }
        }
    }

    /** They are updated. */
    public void release(ParameterState state) {
        if (store != null) {
            store.release(state.firstMoment());
            store.release(state.secondMoment());
            releaseMaster(state);
        }
    }

    /** The master alone will soon be read. */
    public void prefetchMaster(ParameterState state) {
        if (store != null && state.hasMaster()) {
            store.prefetch(state.master());
        }
    }

    /** The master was read or written, and is not needed for a while. */
    public void releaseMaster(ParameterState state) {
        Tensor master = state.master();
        if (store != null && state.hasMaster()) {
            store.release(master);
        }
    }
}
