package io.penstock.transport;

import org.agrona.BitUtil;

/**
 * How the bytes travel over Aeron. Each open stream maps three terms in {@code /dev/shm}, over UDP three more at the receiver.
 *
 * @param path which way to take; AUTO is IPC to ranks with the same media driver and UDP to others
 * @param crossFromBytes messages so long or longer are copied once, by sender and receiver together from the one's memory to the other's, where the kernel lets processes of
 *     this user reach each other (process_vm_readv); {@link #NEVER} for not
 * @param ipcTermBytes a power of two; half of it may be in flight
 * @param slabSlots pieces of large messages that may lie between sender and receiver of one IPC stream; 0 for no slab
 * @param slabSlotBytes bytes of such a piece, a multiple of 64
 * @param slabFromBytes messages so long or longer go through the slab
 * @param udpTermBytes a power of two; larger ones fall out of the cache, and each byte goes through them at both ends
 * @param udpMtuBytes the longest packet: 65504 is right for loopback, 1408 fits every Ethernet
 * @param udpWindowBytes what may be in flight, at most the largest socket buffer that the kernel grants
 */
public record AeronSettings(
        Path path,
        int crossFromBytes,
        int ipcTermBytes,
        int slabSlots,
        int slabSlotBytes,
        int slabFromBytes,
        int udpTermBytes,
        int udpMtuBytes,
        int udpWindowBytes) {
    public enum Path {
        AUTO,
        IPC,
        UDP
    }

    /** The largest MTU of Aeron, and the unit in which tensors go through IPC. */
    public static final int MAX_MTU_BYTES = 65_504;

    /** Small terms for heartbeats. */
    public static final int CONTROL_TERM_BYTES = 64 * 1024;

    private static final long MAX_SLAB_BYTES = 1L << 30;
    /** Of {@link #crossFromBytes}. */
    public static final int NEVER = Integer.MAX_VALUE;

    /** Of every Aeron stream. */
    public static final int TERMS = 3;

    static final int CONTROL_MTU_BYTES = 1408;

    public static final AeronSettings DEFAULT =
            new AeronSettings(Path.AUTO, 64 << 10, 2 << 20, 8, 256 << 10, 64 << 10, 2 << 20, MAX_MTU_BYTES, 1 << 20);

    public AeronSettings {
        if (!BitUtil.isPowerOfTwo(ipcTermBytes) || ipcTermBytes < 1 << 20) {
            throw new IllegalArgumentException("ipcTermBytes=" + ipcTermBytes + " is no power of two >= 1 MiB");
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
        if (!BitUtil.isPowerOfTwo(udpTermBytes) || udpTermBytes < 1 << 20) {
            throw new IllegalArgumentException("udpTermBytes=" + udpTermBytes + " is no power of two >= 1 MiB");
        }
        if (udpMtuBytes % 32 != 0 || udpMtuBytes < CONTROL_MTU_BYTES || udpMtuBytes > MAX_MTU_BYTES) {
            throw new IllegalArgumentException("udpMtuBytes=" + udpMtuBytes + " is no multiple of 32 in ["
                    + CONTROL_MTU_BYTES + ", " + MAX_MTU_BYTES + "]");
        }
        if (udpWindowBytes < 2 * udpMtuBytes || udpWindowBytes > udpTermBytes / 2) {
            throw new IllegalArgumentException("udpWindowBytes=" + udpWindowBytes + " is not in [2 * udpMtuBytes="
                    + 2 * udpMtuBytes + ", udpTermBytes / 2=" + udpTermBytes / 2 + "]");
        }
    }

    public AeronSettings withPath(Path chosen) {
        return new AeronSettings(
                chosen,
                crossFromBytes,
                ipcTermBytes,
                slabSlots,
                slabSlotBytes,
                slabFromBytes,
                udpTermBytes,
                udpMtuBytes,
                udpWindowBytes);
    }

    /** Messages of {@code fromBytes} or more go through a slab of so many slots; 0 slots for none. */
    public AeronSettings withSlab(int slots, int slotBytes, int fromBytes) {
        return new AeronSettings(
                path,
                crossFromBytes,
                ipcTermBytes,
                slots,
                slotBytes,
                fromBytes,
                udpTermBytes,
                udpMtuBytes,
                udpWindowBytes);
    }

    /** Messages of {@code bytes} or more are copied by both ends; {@link #NEVER} for none. */
    public AeronSettings withCrossFromBytes(int bytes) {
        return new AeronSettings(
                path,
                bytes,
                ipcTermBytes,
                slabSlots,
                slabSlotBytes,
                slabFromBytes,
                udpTermBytes,
                udpMtuBytes,
                udpWindowBytes);
    }

    public AeronSettings withIpcTermBytes(int bytes) {
        return new AeronSettings(
                path,
                crossFromBytes,
                bytes,
                slabSlots,
                slabSlotBytes,
                slabFromBytes,
                udpTermBytes,
                udpMtuBytes,
                udpWindowBytes);
    }

    /** Shared memory that one data stream over IPC takes: its terms, and what large messages need once there are some. */
    public long ipcStreamBytes() {
        long boardBytes = crossFromBytes == NEVER ? 0 : CrossBoard.BYTES;
        return boardBytes + TERMS * (long) ipcTermBytes + (slabSlots == 0 ? 0 : Slab.bytes(slabSlots, slabSlotBytes));
    }

    /** The same of one end of a data stream over UDP. */
    public long udpStreamBytes() {
        return TERMS * (long) udpTermBytes;
    }
}
