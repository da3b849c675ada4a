package io.penstock.engine.run;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * Scalars for TensorBoard: an event file of TensorFlow's record format, one event a record, little-endian.
 *
 * <pre>
 *   0            8                 12                12 + n
 *   +------------+-----------------+-----------------+----------------------+
 *   | n: u64     | masked crc of n | event, n bytes  | masked crc of event  |
 *   +------------+-----------------+-----------------+----------------------+
 *   masked crc = rotate_right(crc32c, 15) + 0xa282ead8
 *   Event   { 1: wall_time f64, 2: step i64, 3: file_version string, 5: Summary }
 *   Summary { 1: repeated Value { 1: tag string, 2: simple_value f32 } }
 * </pre>
 */
final class TensorBoardLog implements AutoCloseable {
    private static final int MASK_DELTA = 0xa282ead8;
    private static final int WALL_TIME = 1;
    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int VALUE = 1;
    private static final int TAG = 1;
    private static final int SIMPLE_VALUE = 2;
    private static final int LARGEST_EVENT = 1024;

    private final OutputStream out;

    private TensorBoardLog(OutputStream out) {
        this.out = out;
    }

    /** A new event file in {@code folder}, which TensorBoard reads beside those of runs before; {@code epochSeconds} names it. */
    static TensorBoardLog create(Path folder, long epochSeconds) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(String.format(Locale.ROOT, "events.out.tfevents.%010d.penstock", epochSeconds));
        TensorBoardLog log = new TensorBoardLog(Files.newOutputStream(file));
        byte[] event = new byte[LARGEST_EVENT];
        CodedOutputStream proto = CodedOutputStream.newInstance(event);
        proto.writeDouble(WALL_TIME, (double) epochSeconds);
        proto.writeString(FILE_VERSION, "brain.Event:2");
        log.record(event, proto);
        return log;
    }

    /** {@code value} of {@code tag} after {@code step} steps. */
    void scalar(String tag, int step, double value, double epochSeconds) throws IOException {
        byte[] event = new byte[LARGEST_EVENT];
        CodedOutputStream proto = CodedOutputStream.newInstance(event);
        proto.writeDouble(WALL_TIME, epochSeconds);
        proto.writeInt64(STEP, step);
        byte[] name = tag.getBytes(StandardCharsets.UTF_8);
        int valueBytes = CodedOutputStream.computeByteArraySize(TAG, name)
                + CodedOutputStream.computeFloatSize(SIMPLE_VALUE, (float) value);
        int summaryBytes = CodedOutputStream.computeTagSize(VALUE)
                + CodedOutputStream.computeUInt32SizeNoTag(valueBytes)
                + valueBytes;
        message(proto, SUMMARY, summaryBytes);
        message(proto, VALUE, valueBytes);
        proto.writeByteArray(TAG, name);
        proto.writeFloat(SIMPLE_VALUE, (float) value);
        record(event, proto);
    }

    private static void message(CodedOutputStream proto, int field, int bytes) throws IOException {
        int lengthDelimited = 2;
        proto.writeTag(field, lengthDelimited);
        proto.writeUInt32NoTag(bytes);
    }

    private void record(byte[] event, CodedOutputStream proto) throws IOException {
        int length = proto.getTotalBytesWritten();
        ByteBuffer header = ByteBuffer.allocate(Long.BYTES + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(length).putInt(maskedCrc(header.array(), Long.BYTES));
        ByteBuffer footer = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        footer.putInt(maskedCrc(event, length));
        out.write(header.array());
        out.write(event, 0, length);
        out.write(footer.array());
        out.flush();
    }

    private static int maskedCrc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
