package io.penstock.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Names and shapes laid out one after another, each at a multiple of {@link #ALIGNMENT}: the plan of an owner's memory. The planner adds up
 * {@link #totalBytes()}; the owner allocates exactly that and carves its tensors from it, so prediction and allocation cannot differ.
 */
public final class TensorTable {
    /** Bytes; a cache line and an AVX-512 vector. */
    public static final long ALIGNMENT = 64;

    /** One tensor of the table; {@code rowStride} in elements. */
    public record Entry(String name, DType dtype, Shape shape, long rowStride, long offset, long bytes) {}

    private final Map<String, Entry> entries;
    private final long totalBytes;

    private TensorTable(Map<String, Entry> entries, long totalBytes) {
        this.entries = entries;
        this.totalBytes = totalBytes;
    }

    public static Builder builder() {
        return new Builder();
    }

    public List<Entry> entries() {
        return List.copyOf(entries.values());
    }

    public Entry entry(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalStateException("no tensor '" + name + "' in table " + entries.keySet());
        }
        return entry;
    }

    public boolean contains(String name) {
        return entries.containsKey(name);
    }

    /** A multiple of {@link #ALIGNMENT}. */
    public long totalBytes() {
        return totalBytes;
    }

    public static long align(long bytes) {
        return Math.addExact(bytes, ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Adds tensors in order; names are unique. */
    public static final class Builder {
        private final Map<String, Entry> entries = new LinkedHashMap<>();
        private long offset;

        public Builder add(String name, DType dtype, Shape shape) {
            return addStrided(name, dtype, shape, shape.last());
        }

        public Builder addStrided(String name, DType dtype, Shape shape, long rowStride) {
            long bytes = Math.multiplyExact(Math.multiplyExact(shape.rows(), rowStride), (long) dtype.bytes());
            if (entries.putIfAbsent(name, new Entry(name, dtype, shape, rowStride, offset, bytes)) != null) {
                throw new IllegalStateException("two tensors named '" + name + "' in one table");
            }
            offset = Math.addExact(offset, align(bytes));
            return this;
        }

        /** Every tensor of {@code table}, its name behind {@code prefix}. */
        public Builder addAll(String prefix, TensorTable table) {
            List<Entry> added = new ArrayList<>(table.entries.values());
            for (Entry entry : added) {
                addStrided(prefix + entry.name(), entry.dtype(), entry.shape(), entry.rowStride());
            }
            return this;
        }

        public TensorTable build() {
            return new TensorTable(new LinkedHashMap<>(entries), offset);
        }
    }
}
