package io.penstock.jmh.transport;

import io.penstock.transport.Endpoint;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.lang.foreign.MemorySegment;

/** A Penstock endpoint in a world of two; messages go out of the given buffers, or of shared memory if there are such. */
record PenstockWire(Endpoint endpoint, MemorySegment[] shared) implements Wire {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);

    /** One that sends from shared memory, from two buffers of so many bytes. */
    static PenstockWire sharing(Endpoint endpoint, long bytes) {
        return new PenstockWire(
                endpoint,
                new MemorySegment[] {
                    endpoint.allocate(bytes).fill((byte) 1), endpoint.allocate(bytes).fill((byte) 1)
                });
    }

    @Override
    public void send(MemorySegment[] buffers, long length, int count) {
        stream(true, shared.length == 0 ? buffers : shared, length, count);
    }

    @Override
    public void receive(MemorySegment[] buffers, long length, int count) {
        stream(false, buffers, length, count);
    }

    private void stream(boolean out, MemorySegment[] buffers, long length, int count) {
        Transfer[] transfers = new Transfer[2];
        for (int i = 0; i < count + 2; i++) {
            if (i >= 2) {
                endpoint.await(transfers[i % 2]);
            }
            if (i < count) {
                MemorySegment buffer = buffers[i % 2];
                transfers[i % 2] = out
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
