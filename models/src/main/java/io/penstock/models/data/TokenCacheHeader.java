package io.penstock.models.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * The first bytes of a cache of tokens. Little-endian; written last, so that a file without it is none.
 *
 * <pre>
 *   0        8        12              16              24               32            40                    48
 *   +--------+--------+---------------+---------------+----------------+-------------+---------------------+------------------+
 *   | magic  | version| bytes a token | key           | training tokens| all tokens  | largest token id    | tokens ...       |
 *   | 8 byte | u32    | u32           | u64           | u64            | u64         | u64                 | training first   |
 *   +--------+--------+---------------+---------------+----------------+-------------+---------------------+------------------+
 * </pre>
 *
 * {@code key}: hash of what was asked for and of the names, sizes and times of the texts; another key, another file.
 */
record TokenCacheHeader(int bytesPerToken, long key, long trainingTokens, long allTokens, long largestToken) {
    static final int BYTES = 48;
    static final int VERSION = 1;
    private static final long MAGIC = 0x0a4e4b4f544e4550L; // "PENTOKN\n"

    ByteBuffer bytes() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(MAGIC)
                .putInt(VERSION)
                .putInt(bytesPerToken)
                .putLong(key)
                .putLong(trainingTokens)
                .putLong(allTokens)
                .putLong(largestToken)
                .flip();
    }

    /** Throws {@link DataException} unless the whole file is a cache of this version under this key. */
    static TokenCacheHeader read(Path path, FileChannel channel, long key) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int read = 0;
        while (bytes.hasRemaining() && read >= 0) {
            read = channel.read(bytes, bytes.position());
        }
        bytes.flip();
        if (bytes.remaining() < BYTES || bytes.getLong() != MAGIC || bytes.getInt() != VERSION) {
            throw new DataException(path, "no cache of tokens of version " + VERSION + ": delete it");
        }
        int bytesPerToken = bytes.getInt();
        var header =
                new TokenCacheHeader(bytesPerToken, bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
        if (header.key != key || BYTES + header.allTokens * bytesPerToken != channel.size()) {
            throw new DataException(
                    path, "cut short or of other data: " + channel.size() + " bytes, " + header + ": delete it");
        }
        return header;
    }
}
