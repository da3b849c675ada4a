package io.penstock.transport;

import java.nio.ByteOrder;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * The wire frame, one Aeron fragment each; little endian. A message is one frame or more, in order, at rising offsets; an empty message
 * is one frame without payload. The length of the payload is that of the fragment less the header.
 *
 * <pre>
 *    0         1         2         3         4         5         6         7
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 *  0|          magic "PNSK"                 | version |  type   |  kind   |  flags  |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 *  8|          job: random number of this run, from the rendezvous                  |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 16|          epoch                        |          source rank                  |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 24|          step                         |          micro-batch                  |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 32|          chunk                        |          CRC32C, if its flag is set   |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 40|          sequence: number of the message in its lane, from 0                  |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 48|          length of the whole message in bytes                                 |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 56|          offset of this payload in the message                                |
 *   +---------+---------+---------+---------+---------+---------+---------+---------+
 * 64|          payload ...                                                          |
 * </pre>
 *
 * DATA frames are a message. SLAB frames are the same, but their bytes lie in the {@link Slab} of the stream, and the payload says where:
 * the number of the slot (long), the number of bytes (int), 0 (int). SHARED frames
 * are the same for bytes in {@link SharedMemory} of the sender: offset in the block (long), number of bytes (int), block (int). A CROSS
 * frame is a whole message of which both ends copy pieces ({@link CrossBoard}): address in the sender (long), number in the board (long). A
 * CROSS_OFFER frame, without payload, comes before the first of them, with the header of the message that waits for the answer. HEARTBEAT frames carry the progress of the sender (step, micro-batch, and its activity as chunk). ABORT
 * frames carry a {@link Failure} as payload, see {@link AbortCodec}. The checksum covers the header (its own field as 0), the payload and
 * what lies in the slab; of shared memory, only the frame.
 */
final class Frame {
    static final int HEADER_BYTES = 64;
    static final int MAGIC = 0x4B534E50;
    static final byte VERSION = 2;

    static final byte DATA = 1;
    static final byte HEARTBEAT = 2;
    static final byte ABORT = 3;
    static final byte SLAB = 4;
    static final byte SHARED = 5;
    static final byte CROSS_OFFER = 6;
    static final byte CROSS = 7;

    /** The payload of a SLAB, SHARED or CROSS frame. */
    static final int DESCRIPTOR_BYTES = 16;

    /** DATA: the checksum field counts. */
    static final byte FLAG_CHECKSUM = 1;
    /** HEARTBEAT: the sender is done and will go. */
    static final byte FLAG_DONE = 2;
    /** HEARTBEAT: the sender knows that the receiver is done. */
    static final byte FLAG_DONE_SEEN = 4;

    static final int CHECKSUM_OFFSET = 36;

    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private Frame() {}

    /** Overwrites the whole header, with a checksum of 0. */
    static void encode(
            MutableDirectBuffer to,
            int at,
            byte type,
            int kind,
            byte flags,
            long job,
            int epoch,
            int source,
            int step,
            int microBatch,
            int chunk,
            long sequence,
            long length,
            long offset) {
        to.putInt(at, MAGIC, ORDER);
        to.putByte(at + 4, VERSION);
        to.putByte(at + 5, type);
        to.putByte(at + 6, (byte) kind);
        to.putByte(at + 7, flags);
        to.putLong(at + 8, job, ORDER);
        to.putInt(at + 16, epoch, ORDER);
        to.putInt(at + 20, source, ORDER);
        to.putInt(at + 24, step, ORDER);
        to.putInt(at + 28, microBatch, ORDER);
        to.putInt(at + 32, chunk, ORDER);
        to.putInt(at + CHECKSUM_OFFSET, 0, ORDER);
        to.putLong(at + 40, sequence, ORDER);
        to.putLong(at + 48, length, ORDER);
        to.putLong(at + 56, offset, ORDER);
    }

    static void describeSlot(MutableDirectBuffer to, int at, long slot, int bytes) {
        to.putLong(at + HEADER_BYTES, slot, ORDER);
        to.putInt(at + HEADER_BYTES + 8, bytes, ORDER);
        to.putInt(at + HEADER_BYTES + 12, 0, ORDER);
    }

    static void describeShared(MutableDirectBuffer to, int at, long offset, int bytes, int block) {
        to.putLong(at + HEADER_BYTES, offset, ORDER);
        to.putInt(at + HEADER_BYTES + 8, bytes, ORDER);
        to.putInt(at + HEADER_BYTES + 12, block, ORDER);
    }

    static void describeCross(MutableDirectBuffer to, int at, long address, long number) {
        to.putLong(at + HEADER_BYTES, address, ORDER);
        to.putLong(at + HEADER_BYTES + 8, number, ORDER);
    }

    static long crossAddress(DirectBuffer from, int at) {
        return from.getLong(at + HEADER_BYTES, ORDER);
    }

    static long crossNumber(DirectBuffer from, int at) {
        return from.getLong(at + HEADER_BYTES + 8, ORDER);
    }

    static long sharedOffset(DirectBuffer from, int at) {
        return from.getLong(at + HEADER_BYTES, ORDER);
    }

    static int sharedBytes(DirectBuffer from, int at) {
        return from.getInt(at + HEADER_BYTES + 8, ORDER);
    }

    static int block(DirectBuffer from, int at) {
        return from.getInt(at + HEADER_BYTES + 12, ORDER);
    }

    static long slot(DirectBuffer from, int at) {
        return from.getLong(at + HEADER_BYTES, ORDER);
    }

    static int slotBytes(DirectBuffer from, int at) {
        return from.getInt(at + HEADER_BYTES + 8, ORDER);
    }

    static void checksum(MutableDirectBuffer to, int at, int crc) {
        to.putInt(at + CHECKSUM_OFFSET, crc, ORDER);
    }

    /** Whether the bytes are a frame of this version, run and epoch; anything else is thrown away unread. */
    static boolean belongs(DirectBuffer from, int at, int length, long job, int epoch) {
        return length >= HEADER_BYTES
                && from.getInt(at, ORDER) == MAGIC
                && from.getByte(at + 4) == VERSION
                && from.getLong(at + 8, ORDER) == job
                && from.getInt(at + 16, ORDER) == epoch;
    }

    static byte type(DirectBuffer from, int at) {
        return from.getByte(at + 5);
    }

    static int kind(DirectBuffer from, int at) {
        return from.getByte(at + 6);
    }

    static byte flags(DirectBuffer from, int at) {
        return from.getByte(at + 7);
    }

    static int source(DirectBuffer from, int at) {
        return from.getInt(at + 20, ORDER);
    }

    static int step(DirectBuffer from, int at) {
        return from.getInt(at + 24, ORDER);
    }

    static int microBatch(DirectBuffer from, int at) {
        return from.getInt(at + 28, ORDER);
    }

    static int chunk(DirectBuffer from, int at) {
        return from.getInt(at + 32, ORDER);
    }

    static int checksum(DirectBuffer from, int at) {
        return from.getInt(at + CHECKSUM_OFFSET, ORDER);
    }

    static long sequence(DirectBuffer from, int at) {
        return from.getLong(at + 40, ORDER);
    }

    static long length(DirectBuffer from, int at) {
        return from.getLong(at + 48, ORDER);
    }

    static long offset(DirectBuffer from, int at) {
        return from.getLong(at + 56, ORDER);
    }
}
