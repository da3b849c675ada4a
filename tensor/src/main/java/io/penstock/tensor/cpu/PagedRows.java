package io.penstock.tensor.cpu;

import io.penstock.tensor.DType;
import java.lang.foreign.MemorySegment;

/** Rows of F32 that lie whole pages apart: they fight for the same lines of the caches, and a product that reads its b so runs at half its rate. */
final class PagedRows {
    private static final long BYTES = 4096;

    /** Fewer find room in the second cache: packing them takes what it saves. */
    private static final int FEWEST = 257;

    private PagedRows() {}

    static boolean are(DType type, long stride) {
        return type == DType.F32 && 4 * stride % BYTES == 0;
    }

    /** Whether a product of few columns gains if such rows of its b are packed for it. */
    static boolean deservePacking(DType type, long stride, int rows) {
        return rows >= FEWEST && are(type, stride);
    }

    /** Rows of {@code columns} F32 at {@code from}, {@code stride} apart, one after the other. */
    static void pack(long to, long from, long stride, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(Lanes.ALL, from + 4L * row * stride, Lanes.ALL, to + 4L * row * columns, 4L * columns);
        }
    }
}
