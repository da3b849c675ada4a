package io.penstock.engine.execution;

import io.penstock.tensor.Tensor;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import org.jspecify.annotations.Nullable;

/** The sends of one kind: two buffers a chunk in turn, each free again when its send is done. */
final class SendLane {
    private final Endpoint endpoint;
    private final Tag[] tags;
    private final @Nullable Transfer[][] inFlight;

    SendLane(Endpoint endpoint, Tag[] tagOfChunk) {
        this.endpoint = endpoint;
        this.tags = tagOfChunk.clone();
        this.inFlight = new Transfer[tagOfChunk.length][2];
    }

    /** Waits until the buffer of this micro-batch may be overwritten. */
    void awaitFree(int chunk, int microBatch) {
        Transfer[] ofChunk = inFlight[chunk];
        Transfer transfer = ofChunk[microBatch % 2];
        if (transfer != null) {
            endpoint.await(transfer);
            ofChunk[microBatch % 2] = null;
        }
    }

    void send(int chunk, int microBatch, int peer, int step, Tensor source) {
        inFlight[chunk][microBatch % 2] = endpoint.send(peer, tags[chunk], step, microBatch, source.segment());
    }

    void awaitAll() {
        for (int chunk = 0; chunk < inFlight.length; chunk++) {
            awaitFree(chunk, 0);
            awaitFree(chunk, 1);
        }
    }
}
