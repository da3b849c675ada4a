package io.penstock.models.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A run of tokens in the cache file, one, two or four bytes each, little-endian. {@code name}: "training data", for errors. */
public record TokenSpan(String name, MemorySegment data, int bytesPerToken) {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public long size() {
        return data.byteSize() / bytesPerToken;
    }

    public int get(long index) {
        return switch (bytesPerToken) {
            case 1 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xff;
            case 2 -> data.get(SHORT, 2 * index) & 0xffff;
            default -> data.get(INT, 4 * index);
        };
    }

    /** Copies {@code count} tokens from {@code from} into ints at element {@code at} of {@code into}. */
    void copyInts(long from, MemorySegment into, long at, int count) {
        for (int i = 0; i < count; i++) {
            into.set(ValueLayout.JAVA_INT, 4 * (at + i), get(from + i));
        }
    }

    static int bytesPerToken(int vocabularySize) {
        return vocabularySize <= 1 << 8 ? 1 : vocabularySize <= 1 << 16 ? 2 : 4;
    }
}
