package io.penstock.models.vocabulary;

import io.penstock.models.MicroBatchShape;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.IdentityHashMap;

/**
 * The chunks of rows of tensors that callers pass in, built when a tensor is first seen so that a step builds none. An engine passes the same few views
 * every step; should a caller make new ones for ever, the old are forgotten.
 */
public final class ChunkViews {
    private static final int REMEMBERED = 256;

    private final long rows;
    private final long chunkRows;
    private final IdentityHashMap<Tensor, Tensor[]> views = new IdentityHashMap<>();

    private ChunkViews(long rows, long chunkRows) {
        this.rows = rows;
        this.chunkRows = chunkRows;
    }

    public static ChunkViews of(LogitChunks chunks) {
        return new ChunkViews(chunks.rows(), chunks.chunkRows());
    }

    /** A chunk a sequence. */
    public static ChunkViews sequences(MicroBatchShape microBatch) {
        return new ChunkViews(microBatch.rows(), microBatch.sequence());
    }

    /** Views (rows of the chunk, columns), one a chunk. */
    public Tensor[] of(Tensor matrix) {
        return views(matrix, matrix.shape().last());
    }

    /** Views (rows of the chunk) of one element a row. */
    public Tensor[] ofColumn(Tensor column) {
        return views(column, 1);
    }

    private Tensor[] views(Tensor tensor, long columns) {
        Tensor[] known = views.get(tensor);
        if (known == null) {
            if (views.size() >= REMEMBERED) {
                views.clear();
            }
            known = build(tensor, columns);
            views.put(tensor, known);
        }
        return known;
    }

    private Tensor[] build(Tensor tensor, long columns) {
        Tensor flat = tensor.reshape(columns == 1 ? Shape.of(rows) : Shape.of(rows, columns));
        Tensor[] built = new Tensor[Math.toIntExact(Math.ceilDiv(rows, chunkRows))];
        for (int i = 0; i < built.length; i++) {
            built[i] = flat.slice(i * chunkRows, Math.min(chunkRows, rows - i * chunkRows));
        }
        return built;
    }
}
