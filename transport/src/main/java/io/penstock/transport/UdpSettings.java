package io.penstock.transport;

import org.agrona.BitUtil;

/**
 * How messages go between ranks of different media drivers.
 *
 * @param termBytes of a stream's log, a power of two; larger ones fall out of the cache, and each byte goes through them at both ends
 * @param mtuBytes the longest packet: 65504 is right for loopback, 1408 fits every Ethernet
 * @param windowBytes what may be in flight, at most the largest socket buffer that the kernel grants
 */
public record UdpSettings(int termBytes, int mtuBytes, int windowBytes) {
    public static final UdpSettings DEFAULT = new UdpSettings(2 << 20, AeronSettings.MAX_MTU_BYTES, 1 << 20);

    public UdpSettings {
        if (!BitUtil.isPowerOfTwo(termBytes) || termBytes < 1 << 20) {
            throw new IllegalArgumentException("termBytes=" + termBytes + " is no power of two >= 1 MiB");
        }
        if (mtuBytes % 32 != 0
                || mtuBytes < AeronSettings.CONTROL_MTU_BYTES
                || mtuBytes > AeronSettings.MAX_MTU_BYTES) {
            throw new IllegalArgumentException("mtuBytes=" + mtuBytes + " is no multiple of 32 in ["
                    + AeronSettings.CONTROL_MTU_BYTES + ", " + AeronSettings.MAX_MTU_BYTES + "]");
        }
        if (windowBytes < 2 * mtuBytes || windowBytes > termBytes / 2) {
            throw new IllegalArgumentException("windowBytes=" + windowBytes + " is not in [2 * mtuBytes=" + 2 * mtuBytes
                    + ", termBytes / 2=" + termBytes / 2 + "]");
        }
    }

    /** Shared memory that one end of a data stream takes. */
    public long streamBytes() {
        return AeronSettings.TERMS * (long) termBytes;
    }
}
