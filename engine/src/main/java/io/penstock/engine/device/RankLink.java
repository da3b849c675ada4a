package io.penstock.engine.device;

import io.penstock.tensor.DeviceCopies;
import io.penstock.transport.DeviceLink;

/** A device's copies to and from devices of other ranks, for the transport, which knows no tensors. */
record RankLink(DeviceCopies copies) implements DeviceLink {
    @Override
    public long mark() {
        return copies.mark();
    }

    @Override
    public long startCopy(long to, long from, long bytes, long mark, DeviceLink peer, long peerMark, boolean incoming) {
        return copies.startCopy(to, from, bytes, mark, ((RankLink) peer).copies, peerMark, incoming);
    }

    @Override
    public void orderAfter(DeviceLink starter, long copy) {
        copies.orderAfter(((RankLink) starter).copies, copy);
    }

    @Override
    public void finish() {
        copies.finish();
    }
}
