package io.penstock.transport;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A message of a {@link StagedEndpoint} on its way through staging memory; reusable. */
final class StagedTransfer extends Transfer {
    /** An endpoint has only so many transfers; the chunks of a large message are larger. */
    private static final int MOST_CHUNKS = 8;

    private static final long ALIGNMENT = 64;
    private static final Buffer NONE = new Buffer(MemorySegment.NULL, 0);

    /** Staging memory of 2^power bytes. */
    static final class Buffer {
        private final MemorySegment memory;
        final int power;
        /** The last copy to the device from here, -1 for none. */
        long lastCopy = -1;

        Buffer(MemorySegment memory, int power) {
            this.memory = memory;
            this.power = power;
        }

        MemorySegment memory() {
            return memory;
        }
    }

    Buffer buffer = NONE;
    int chunks;
    /** Chunks that are with the endpoint below or were, and those that it is done with. */
    int posted;

    int finished;
    /** Of a send, by chunk: the copy to the host. */
    final long[] copies = new long[MOST_CHUNKS];
    /** By chunk: its transfer while the endpoint below has it. */
    @Nullable
    final Transfer[] wires = new Transfer[MOST_CHUNKS];

    private long total;
    private long chunkBytes;

    /** The chunks are a function of the sizes alone: both ends cut alike. */
    void begin(Buffer staging, long bytes, long bytesOfChunk) {
        buffer = staging;
        total = bytes;
        chunkBytes = Math.max(bytesOfChunk, Math.ceilDiv(Math.ceilDiv(bytes, MOST_CHUNKS), ALIGNMENT) * ALIGNMENT);
        chunks = Math.toIntExact(Math.max(1, Math.ceilDiv(bytes, chunkBytes)));
        posted = 0;
        finished = 0;
    }

    long begin(int chunk) {
        return chunk * chunkBytes;
    }

    long bytesOf(int chunk) {
        return Math.min(chunkBytes, total - begin(chunk));
    }

    /** Of the oldest chunk that is not finished. */
    Transfer wire() {
        return Objects.requireNonNull(wires[finished]);
    }
}
