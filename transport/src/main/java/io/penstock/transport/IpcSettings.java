package io.penstock.transport;

import org.agrona.BitUtil;

/**
 * How messages go between ranks of one media driver.
 *
 * @param termBytes of a stream's log, a power of two; half of it may be in flight
 * @param crossFromBytes messages so long or longer are copied once, by sender and receiver together from the one's memory to the other's, where the kernel lets processes of this
 *     user reach each other (process_vm_readv); {@link #NEVER} for not
 * @param slabSlots pieces of large messages that may lie between sender and receiver of one stream; 0 for no slab
 * @param slabSlotBytes bytes of such a piece, a multiple of 64
 * @param slabFromBytes messages so long or longer go through the slab
 */
public record IpcSettings(int termBytes, int crossFromBytes, int slabSlots, int slabSlotBytes, int slabFromBytes) {
    /** Of {@link #crossFromBytes}. */
    public static final int NEVER = Integer.MAX_VALUE;

    public static final IpcSettings DEFAULT = new IpcSettings(2 << 20, 64 << 10, 8, 256 << 10, 64 << 10);

    private static final long MAX_SLAB_BYTES = 1L << 30;

    public IpcSettings {
        if (!BitUtil.isPowerOfTwo(termBytes) || termBytes < 1 << 20) {
            throw new IllegalArgumentException("termBytes=" + termBytes + " is no power of two >= 1 MiB");
        }
        if (crossFromBytes < 1) {
            throw new IllegalArgumentException("crossFromBytes=" + crossFromBytes + " < 1");
        }
        if (slabSlots < 0 || slabSlots == 1 || slabSlotBytes < 64 || slabSlotBytes % 64 != 0 || slabFromBytes < 1) {
            throw new IllegalArgumentException("want slabSlots=" + slabSlots + " 0 or at least 2, slabSlotBytes="
                    + slabSlotBytes + " a multiple of 64 and slabFromBytes=" + slabFromBytes + " >= 1");
        }
        if (Math.multiplyFull(slabSlots, slabSlotBytes) > MAX_SLAB_BYTES) {
            throw new IllegalArgumentException(
                    "slabSlots=" + slabSlots + " * slabSlotBytes=" + slabSlotBytes + " > " + MAX_SLAB_BYTES);
        }
    }

    public IpcSettings withTermBytes(int bytes) {
        return new IpcSettings(bytes, crossFromBytes, slabSlots, slabSlotBytes, slabFromBytes);
    }

    /** Messages of {@code bytes} or more are copied by both ends; {@link #NEVER} for none. */
    public IpcSettings withCrossFromBytes(int bytes) {
        return new IpcSettings(termBytes, bytes, slabSlots, slabSlotBytes, slabFromBytes);
    }

    /** Messages of {@code fromBytes} or more go through a slab of so many slots; 0 slots for none. */
    public IpcSettings withSlab(int slots, int slotBytes, int fromBytes) {
        return new IpcSettings(termBytes, crossFromBytes, slots, slotBytes, fromBytes);
    }

    /** Shared memory that one data stream takes: its terms, and what large messages need once there are some. */
    public long streamBytes() {
        long boardBytes = crossFromBytes == NEVER ? 0 : CrossBoard.BYTES;
        long slabBytes = slabSlots == 0 ? 0 : Slab.bytes(slabSlots, slabSlotBytes);
        return AeronSettings.TERMS * (long) termBytes + boardBytes + slabBytes;
    }
}
