package io.penstock.engine.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardLogTest {
    /** The first record of a file at second 1: computed with another implementation of CRC32C and the record format. */
    private static final String FIRST_RECORD =
            "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a";

    private static byte[] written(Path folder) throws IOException {
        try (TensorBoardLog log = TensorBoardLog.create(folder, 1)) {
            log.scalar("train/loss", 300, 1.25, 2.5);
        }
        Path file = folder.resolve("events.out.tfevents.0000000001.penstock");
        return Files.readAllBytes(file);
    }

    private static byte[] record(ByteBuffer file) {
        long length = file.getLong();
        file.getInt();
        byte[] event = new byte[(int) length];
        file.get(event);
        file.getInt();
        return event;
    }

    @Test
    void shouldBeginWithTheVersion(@TempDir Path folder) throws IOException {
        byte[] expected = HexFormat.of().parseHex(FIRST_RECORD);
        assertArrayEquals(expected, Arrays.copyOf(written(folder), expected.length));
    }

    @Test
    void shouldWriteAScalar(@TempDir Path folder) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(written(folder)).order(ByteOrder.LITTLE_ENDIAN);
        record(file);
        CodedInputStream event = CodedInputStream.newInstance(record(file));
        assertEquals(1, event.readTag() >>> 3);
        assertEquals(2.5, event.readDouble());
        assertEquals(2, event.readTag() >>> 3);
        assertEquals(300, event.readInt64());
        assertEquals(5, event.readTag() >>> 3);
        CodedInputStream value = CodedInputStream.newInstance(event.readByteArray());
        assertEquals(1, value.readTag() >>> 3);
        CodedInputStream fields = CodedInputStream.newInstance(value.readByteArray());
        assertEquals(1, fields.readTag() >>> 3);
        assertEquals("train/loss", fields.readString());
        assertEquals(2, fields.readTag() >>> 3);
        assertEquals(1.25f, fields.readFloat());
        assertFalse(file.hasRemaining());
    }
}
