package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Shared memory through which the large messages of one stream (source, destination, lane) go: a ring of slots, small enough to stay in
 * the cache. The sender copies a piece into the next free slot and announces it by a {@link Frame#SLAB} frame over Aeron; the receiver
 * copies it out and says so by a counter in the slab, which is what holds the sender back. One sender thread, one receiver thread.
 *
 * <pre>
 *     0 magic "PNSLAB01", and the rest of a {@link StreamFile}'s beginning
 *    32 slots (int)        36 bytes of a slot (int)
 *   128 taken: number of slots that the receiver has emptied so far
 *   256 wanted: 1 while the sender waits for a slot and wants to hear of it
 *  4096 slot 0, slot 1, ...
 * </pre>
 */
final class Slab implements AutoCloseable {
    static final int HEADER_BYTES = 4096;
    private static final long MAGIC = 0x3130_4241_4C53_4E50L;
    private static final long TAKEN_OFFSET = 128;
    private static final long WANTED_OFFSET = 256;
    /** A copy of some MiB in one go would pass the caches by, and the receiver find the slot in memory. */
    private static final int CACHED_BYTES = 1 << 20;

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final StreamFile file;
    private final MemorySegment memory;
    private final ByteBuffer bytes;
    private final int slots;
    private final int slotBytes;
    /** Slots filled (sender) or emptied (receiver) so far. */
    private long position;
    /** What the sender last saw of the receiver's counter. */
    private long takenSeen;

    private Slab(StreamFile file, int slots, int slotBytes) {
        this.file = file;
        this.memory = file.memory();
        this.bytes = memory.asByteBuffer();
        this.slots = slots;
        this.slotBytes = slotBytes;
    }

    static long bytes(int slots, int slotBytes) {
        return HEADER_BYTES + (long) slots * slotBytes;
    }

    /**
     * Made by the sender.
     *
     * @throws IOException above all if there is no room for it
     */
    static Slab create(SharedFiles files, StreamFile.Stream stream, int slots, int slotBytes) throws IOException {
        StreamFile file = StreamFile.create(files, files.slab(stream), stream, bytes(slots, slotBytes));
        file.memory().set(ValueLayout.JAVA_INT, 32, slots);
        file.memory().set(ValueLayout.JAVA_INT, 36, slotBytes);
        file.publish(MAGIC);
        return new Slab(file, slots, slotBytes);
    }

    /**
     * Opened by the receiver, who takes its name away: from then on it is memory of the two processes alone.
     *
     * @throws IOException if there is none, or it is not that of this stream
     */
    static Slab open(SharedFiles files, StreamFile.Stream stream) throws IOException {
        Path path = files.slab(stream);
        StreamFile file = StreamFile.open(path, stream, MAGIC, HEADER_BYTES, "slab");
        try {
            MemorySegment memory = file.memory();
            int slots = memory.get(ValueLayout.JAVA_INT, 32);
            int slotBytes = memory.get(ValueLayout.JAVA_INT, 36);
            if (slots < 1 || slotBytes < 1 || memory.byteSize() != bytes(slots, slotBytes)) {
                throw new IOException(path + " says " + slots + " slots of " + slotBytes + " bytes in "
                        + memory.byteSize() + " bytes");
            }
            Files.delete(path);
            return new Slab(file, slots, slotBytes);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    int slotBytes() {
        return slotBytes;
    }

    /** The number of the slot that is filled or emptied next. */
    long position() {
        return position;
    }

    /** Sender: whether the next slot may be filled. */
    boolean hasRoom() {
        if (position - takenSeen < slots) {
            return true;
        }
        takenSeen = (long) LONG.getAcquire(memory, TAKEN_OFFSET);
        return position - takenSeen < slots;
    }

    /** Sender, without room: says that it wants to hear of it. Returns whether there is room after all. */
    boolean askForRoom() {
        LONG.setVolatile(memory, WANTED_OFFSET, 1L);
        takenSeen = (long) LONG.getVolatile(memory, TAKEN_OFFSET);
        return position - takenSeen < slots;
    }

    /** Sender: fills the next slot, which must be free. The frame that announces it makes it visible. */
    void put(MemorySegment source, long offset, int length) {
        long to = slotOffset();
        for (int at = 0; at < length; at += CACHED_BYTES) {
            MemorySegment.copy(source, offset + at, memory, to + at, Math.min(CACHED_BYTES, length - at));
        }
        position++;
    }

    /** Receiver: the bytes of the slot that comes next. */
    void read(MemorySegment destination, long offset, int length) {
        MemorySegment.copy(memory, slotOffset(), destination, offset, length);
    }

    /** Receiver: gives the slot back. Returns whether the sender wants to hear of it. */
    boolean release() {
        position++;
        LONG.setVolatile(memory, TAKEN_OFFSET, position);
        boolean wanted = (long) LONG.getVolatile(memory, WANTED_OFFSET) != 0;
        if (wanted) {
            LONG.setRelease(memory, WANTED_OFFSET, 0L);
        }
        return wanted;
    }

    /** The first bytes of the slot with a number, for a checksum; valid until the next call. */
    ByteBuffer slot(long number, int length) {
        int begin = (int) (HEADER_BYTES + number % slots * slotBytes);
        return bytes.clear().position(begin).limit(begin + length);
    }

    private long slotOffset() {
        return HEADER_BYTES + position % slots * slotBytes;
    }

    @Override
    public void close() {
        file.close();
    }
}
