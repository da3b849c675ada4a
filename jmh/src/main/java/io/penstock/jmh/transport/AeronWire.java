package io.penstock.jmh.transport;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/** Aeron IPC with nothing around it, both threads spinning: the floor of the round trip. For messages that fit one fragment. */
final class AeronWire implements Wire {
    private static final String CHANNEL = "aeron:ipc?term-length=1m|mtu=8k";
    private static final int STREAM = 90_001;

    private final Aeron aeron;
    private final ExclusivePublication publication;
    private final Subscription subscription;
    private final UnsafeBuffer view = new UnsafeBuffer(0, 0);

    AeronWire(String driverDirectory, int rank) {
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driverDirectory));
        publication = aeron.addExclusivePublication(CHANNEL, STREAM + rank);
        subscription = aeron.addSubscription(CHANNEL, STREAM + 1 - rank);
    }

    @Override
    public void send(MemorySegment[] buffers, long length, int count) {
        for (int i = 0; i < count; i++) {
            view.wrap(buffers[i % buffers.length].address(), (int) length);
            while (publication.offer(view, 0, (int) length) < 0) {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public void receive(MemorySegment[] buffers, long length, int count) {
        FragmentHandler copy = (buffer, at, bytes, header) -> {
            view.wrap(buffers[0].address(), bytes);
            view.putBytes(0, buffer, at, bytes);
        };
        for (int got = 0; got < count; ) {
            int fragments = subscription.poll(copy, 1);
            got += fragments;
            if (fragments == 0) {
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public void close() {
        aeron.close();
    }
}
