package io.penstock.transport;

import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * The payload of an ABORT frame; little endian.
 *
 * <pre>
 *    0                   4                   8
 *   +-------------------+-------------------+
 *  0| culprit           | reporter          |
 *  8| wall clock of the report, ms          |
 * 16| step              | micro-batch       |
 * 24| activity          | reason bytes      |
 * 32| reason in UTF-8, at most 900 bytes ...
 * </pre>
 */
final class AbortCodec {
    private static final int FIXED_BYTES = 32;
    /** Keeps the frame under the smallest MTU, so that it is one fragment everywhere. */
    private static final int MAX_REASON_BYTES = 900;

    static final int MAX_BYTES = FIXED_BYTES + MAX_REASON_BYTES;

    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private AbortCodec() {}

    /** Returns the number of bytes written. */
    static int encode(Failure failure, MutableDirectBuffer to, int at) {
        byte[] reason = failure.reason().getBytes(StandardCharsets.UTF_8);
        if (reason.length > MAX_REASON_BYTES) {
            reason = Arrays.copyOf(reason, MAX_REASON_BYTES);
        }
        Progress progress = failure.progress();
        to.putInt(at, failure.rank(), ORDER);
        to.putInt(at + 4, failure.reportedBy(), ORDER);
        to.putLong(at + 8, failure.atMillis(), ORDER);
        to.putInt(at + 16, progress.step(), ORDER);
        to.putInt(at + 20, progress.microBatch(), ORDER);
        to.putInt(at + 24, progress.activity(), ORDER);
        to.putInt(at + 28, reason.length, ORDER);
        to.putBytes(at + FIXED_BYTES, reason);
        return FIXED_BYTES + reason.length;
    }

    static Failure decode(DirectBuffer from, int at, int length) {
        int reasonBytes = length < FIXED_BYTES ? -1 : from.getInt(at + 28, ORDER);
        if (reasonBytes < 0 || reasonBytes > length - FIXED_BYTES) {
            throw new TransportException("broken abort frame of " + length + " bytes, reason of " + reasonBytes);
        }
        byte[] reason = new byte[reasonBytes];
        from.getBytes(at + FIXED_BYTES, reason);
        Progress progress =
                new Progress(from.getInt(at + 16, ORDER), from.getInt(at + 20, ORDER), from.getInt(at + 24, ORDER));
        return new Failure(
                from.getInt(at, ORDER),
                from.getInt(at + 4, ORDER),
                from.getLong(at + 8, ORDER),
                progress,
                new String(reason, StandardCharsets.UTF_8));
    }
}
