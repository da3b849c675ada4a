package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A rank's end of an {@link InMemoryFabric} for memory of its device. Who posts second starts the copy, from device to device; the devices order it among their work:
 *
 * <pre>
 *   what the sender's device was asked for before the send    \             / what the sender's is asked for after await
 *                                                              +-- copy ---+
 *   what the receiver's was asked for before the receive      /             \ what the receiver's is asked for after await
 * </pre>
 *
 * Done means that the copy is under way: no thread waits for a device that is less than 256 copies behind. All calls are of one thread. Does not close the endpoint below.
 */
final class DeviceEndpoint extends EndpointAbove {
    private final InMemoryEndpoint below;
    private final DeviceLink device;
    /** Posted and not awaited. */
    private final List<Transfer> active = new ArrayList<>();

    DeviceEndpoint(InMemoryEndpoint below, DeviceLink device) {
        super(below);
        this.below = below;
        this.device = device;
    }

    @Override
    public Transfer send(int peer, Tag tag, int step, int microBatch, MemorySegment source, long offset, long length) {
        return post(below.desk.take(true, peer, tag, step, microBatch, source, offset, length));
    }

    @Override
    public Transfer receive(
            int peer, Tag tag, int step, int microBatch, MemorySegment destination, long offset, long length) {
        return post(below.desk.take(false, peer, tag, step, microBatch, destination, offset, length));
    }

    private Transfer post(Transfer transfer) {
        transfer.device = device;
        transfer.mark = device.mark();
        active.add(transfer);
        below.post(transfer);
        return transfer;
    }

    @Override
    public void await(Transfer transfer) {
        below.desk.awaitEnd(transfer);
        orderAfter(transfer);
        active.remove(transfer);
        below.desk.release(transfer);
    }

    private void orderAfter(Transfer transfer) {
        @Nullable DeviceLink starter = transfer.starter;
        if (starter != null) {
            device.orderAfter(starter, transfer.copy);
        }
    }

    @Override
    public boolean isDone(Transfer transfer) {
        return below.isDone(transfer);
    }

    /** Afterwards no copy touches this rank's memory: what nobody answered is withdrawn, what is under way is waited for. */
    @Override
    public void close() {
        for (Transfer transfer : active) {
            below.withdraw(transfer);
            orderAfter(transfer);
        }
        active.clear();
        device.finish();
    }
}
