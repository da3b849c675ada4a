package io.penstock.models.vocabulary;

/**
 * How the R = B*T tokens of a micro-batch are cut for the logits: in chunks of {@code chunkRows}, the last one shorter. A function of R and V alone, so
 * the order in which the head's weight gradient is summed is one too. {@code rowStride}: elements between rows of logits, V padded so that every row
 * starts on a cache line.
 */
public record LogitChunks(long rows, long chunkRows, long rowStride) {
    /** Of the logits of one chunk, counted in F32. */
    private static final long TARGET_BYTES = 100L << 20;

    private static final long ROW_MULTIPLE = 64;
    private static final long STRIDE_MULTIPLE = 64;

    public static LogitChunks of(long rows, long vocabularySize) {
        long rowStride = Math.ceilDiv(vocabularySize, STRIDE_MULTIPLE) * STRIDE_MULTIPLE;
        long fitting = TARGET_BYTES / (rowStride * Float.BYTES) / ROW_MULTIPLE * ROW_MULTIPLE;
        return new LogitChunks(rows, Math.min(rows, Math.max(fitting, ROW_MULTIPLE)), rowStride);
    }

    public int count() {
        return Math.toIntExact(Math.ceilDiv(rows, chunkRows));
    }

    public long first(int chunk) {
        return chunk * chunkRows;
    }

    public long size(int chunk) {
        return Math.min(chunkRows, rows - first(chunk));
    }
}
