package io.penstock.engine.device;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Flat tensors over parts of memory that come again every step, built when a part is first seen. Open addressing: a look allocates nothing. */
final class SegmentViews {
    private final DType dtype;
    private @Nullable Tensor[] views = new Tensor[64];
    private int count;

    SegmentViews(DType dtype) {
        this.dtype = dtype;
    }

    Tensor of(MemorySegment memory, long offset, long bytes) {
        long address = memory.address() + offset;
        int place = place(views, address, bytes);
        Tensor known = views[place];
        if (known != null) {
            return known;
        }
        Tensor view = Tensor.of(memory.asSlice(offset, bytes), dtype, Shape.of(bytes / dtype.bytes()));
        if (++count * 2 > views.length) {
            grow();
            place = place(views, address, bytes);
        }
        views[place] = view;
        return view;
    }

    private static int place(@Nullable Tensor[] table, long address, long bytes) {
        int place = Long.hashCode((address ^ bytes) * 0x9e3779b97f4a7c15L) & (table.length - 1);
        while (true) {
            Tensor at = table[place];
            if (at == null || (at.address() == address && at.bytes() == bytes)) {
                return place;
            }
            place = (place + 1) & (table.length - 1);
        }
    }

    private void grow() {
        @Nullable Tensor[] more = new Tensor[2 * views.length];
        for (Tensor view : views) {
            if (view != null) {
                more[place(more, view.address(), view.bytes())] = view;
            }
        }
        views = more;
    }
}
