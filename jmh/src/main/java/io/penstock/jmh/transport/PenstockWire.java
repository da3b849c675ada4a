package io.penstock.jmh.transport;

import io.penstock.transport.Endpoint;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.lang.foreign.MemorySegment;

/** A Penstock endpoint in a world of two. */
record PenstockWire(Endpoint endpoint) implements Wire {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);

    @Override
    public void send(MemorySegment[] buffers, long length, int count) {
        stream(true, buffers, length, count);
    }

    @Override
    public void receive(MemorySegment[] buffers, long length, int count) {
        stream(false, buffers, length, count);
    }

    private void stream(boolean out, MemorySegment[] buffers, long length, int count) {
        int window = Math.min(WINDOW, count);
        Transfer[] transfers = new Transfer[window];
        for (int i = 0; i < count + window; i++) {
            if (i >= window) {
                endpoint.await(transfers[i % window]);
            }
            if (i < count) {
                MemorySegment buffer = buffers[i % buffers.length];
                transfers[i % window] = out
                        ? endpoint.send(1 - endpoint.rank(), TAG, 0, i, buffer, 0, length)
                        : endpoint.receive(1 - endpoint.rank(), TAG, 0, i, buffer, 0, length);
            }
        }
    }

    @Override
    public void close() {
        endpoint.announceDone();
        endpoint.close();
    }
}
