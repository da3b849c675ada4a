package io.penstock.models.gpt2;

import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.IdentityHashMap;

/**
 * The chunks of rows of tensors that callers pass in, built when a tensor is first seen so that a step builds none. An engine passes the same few views
 * every step; should a caller make new ones for ever, the old are forgotten.
 */
final class ChunkViews {
    private static final int REMEMBERED = 256;

    private final LogitChunks chunks;
    private final IdentityHashMap<Tensor, Tensor[]> views = new IdentityHashMap<>();

    ChunkViews(LogitChunks chunks) {
        this.chunks = chunks;
    }

    /** Views (rows of the chunk, columns), one a chunk. */
    Tensor[] of(Tensor matrix) {
        return views(matrix, matrix.shape().last());
    }

    /** Views (rows of the chunk) of one element a row. */
    Tensor[] ofColumn(Tensor column) {
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
        Tensor flat = tensor.reshape(columns == 1 ? Shape.of(chunks.rows()) : Shape.of(chunks.rows(), columns));
        Tensor[] built = new Tensor[chunks.count()];
        for (int i = 0; i < built.length; i++) {
            built[i] = flat.slice(chunks.first(i), chunks.size(i));
        }
        return built;
    }
}
