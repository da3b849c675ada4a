package io.penstock.transport;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/** CRC32C of a frame in a log buffer, by way of a small buffer that the JDK's checksum can read; of one thread. */
final class FrameChecksum {
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(AeronSettings.MAX_MTU_BYTES);
    private final UnsafeBuffer staging = new UnsafeBuffer(bytes);
    private final CRC32C crc = new CRC32C();

    /** Over header, payload and the bytes in the slab if there are any, with the header's checksum field taken as 0. */
    int of(DirectBuffer frame, int at, int length, @Nullable ByteBuffer slot) {
        frame.getBytes(at, staging, 0, length);
        Frame.checksum(staging, 0, 0);
        crc.reset();
        bytes.clear().limit(length);
        crc.update(bytes);
        if (slot != null) {
            crc.update(slot);
        }
        return (int) crc.getValue();
    }
}
