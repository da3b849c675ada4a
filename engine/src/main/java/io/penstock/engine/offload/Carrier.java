package io.penstock.engine.offload;

import io.penstock.tensor.Tensor;

/** Brings bytes of a device to a store and back, one copy after the other in the order in which they were asked for, while the rank computes. One thread asks; a step allocates nothing. */
public interface Carrier extends AutoCloseable {
    /** A copy that may be asked for any number of times; {@code toStore} or from it. */
    record Copy(Tensor here, Tensor elsewhere, boolean toStore) {}

    /** Returns at once, with a number above 0; what is copied is as the work that was asked for until now leaves it. */
    long ask(Copy copy);

    /** The work that is asked for next finds the copy of this number and all before it made; 0 is none. Throws if one failed. */
    void await(long copy);

    /** Copies that were asked for and not awaited may not be made. */
    @Override
    void close();
}
