package io.penstock.engine.offload;

import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.RandomDataInput;
import net.openhft.chronicle.bytes.RandomDataOutput;
import net.openhft.chronicle.hash.Data;

/** A value that only takes its room in the map: the bytes of a new file are zeros, and kernels write them where they lie. */
record FreshBytes(long size) implements Data<BytesStore<?, ?>> {
    @Override
    public long offset() {
        return 0;
    }

    @SuppressWarnings("rawtypes")
    @Override
    public void writeTo(RandomDataOutput target, long targetOffset) {}

    @Override
    public RandomDataInput bytes() {
        throw new IllegalStateException("a value to be made has no bytes to read");
    }

    @Override
    public BytesStore<?, ?> get() {
        throw new IllegalStateException("a value to be made has no bytes to read");
    }

    @Override
    public BytesStore<?, ?> getUsing(BytesStore<?, ?> using) {
        throw new IllegalStateException("a value to be made has no bytes to read");
    }
}
