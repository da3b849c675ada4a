package io.penstock.engine.offload;

import io.penstock.partitioner.render.Bytes;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.hash.Data;
import net.openhft.chronicle.hash.impl.VanillaChronicleHash;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.ChronicleMapBuilder;
import net.openhft.chronicle.map.ExternalMapQueryContext;
import net.openhft.chronicle.map.MapAbsentEntry;
import net.openhft.chronicle.map.MapEntry;

/**
 * Tensors as the values of a Chronicle Map, an entry a tensor, keyed by {@link ShardKey}. An entry is made once, at its full size, and never replaced: so it stays where it is, and
 * kernels work on its bytes through its native address, without a copy through the heap. The map has exactly the entries and chunks that the table needs, one segment, no tiers and
 * no checksums, which writes in place would break. Its locks are not taken: a store has one user.
 */
final class ChronicleMapStore implements ShardStore {
    /** Bytes of what an entry is made of. A page: entries hold tensors of kilobytes to gigabytes. */
    private static final int CHUNK = 4096;

    /** More than an entry's own sizes, alignment and the longest of our keys. */
    private static final int ENTRY_OVERHEAD = 512;

    private final StoreSettings settings;
    private final ChronicleMap<CharSequence, BytesStore<?, ?>> map;
    private final long bytes;
    private final long reservedBytes;
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final StoreFile file;
    private final MappedPages pages;
    private boolean closed;

    private ChronicleMapStore(
            StoreSettings settings,
            TensorTable table,
            ChronicleMap<CharSequence, BytesStore<?, ?>> map,
            StoreFile file) {
        this.settings = settings;
        this.map = map;
        this.bytes = table.totalBytes();
        this.reservedBytes = map.offHeapMemoryUsed();
        this.file = file;
        this.pages = new MappedPages(file, ((VanillaChronicleHash<?, ?, ?, ?>) map).bsAddress(), reservedBytes);
        for (TensorTable.Entry entry : table.entries()) {
            tensors.put(entry.name(), tensor(entry));
        }
    }

    /** Throws {@link StoreException} where there is no room or no permission. */
    static ChronicleMapStore open(StoreSettings settings, TensorTable table) {
        try (StoreFolder folder = StoreFolder.create(settings.directory())) {
            StoreFile.requireSpace(settings.directory(), fileBytes(table), settings.owner());
            Path path = folder.file("shards.chronicle-map");
            ChronicleMap<CharSequence, BytesStore<?, ?>> map = create(path, table);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                StoreFile file = StoreFile.of(path, settings.directory(), settings.owner());
                // From here on the file is gone when this process is, however it ends. Nobody recovers a map of which a
                // put may be half done.
                folder.delete();
                return insertAll(settings, table, map, channel, file);
            } catch (IOException | RuntimeException e) {
                map.close();
                throw e;
            }
        } catch (IOException e) {
            throw StoreException.unusable(settings, e);
        }
    }

    private static ChronicleMapStore insertAll(
            StoreSettings settings,
            TensorTable table,
            ChronicleMap<CharSequence, BytesStore<?, ?>> map,
            FileChannel channel,
            StoreFile file)
            throws IOException {
        try {
            // The map made a sparse file: what is no hole yet stays.
            file.reserve(channel, channel.size());
            return new ChronicleMapStore(settings, table, map, file);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static ChronicleMap<CharSequence, BytesStore<?, ?>> create(Path path, TensorTable table)
            throws IOException {
        List<TensorTable.Entry> entries = table.entries();
        int longestName =
                entries.stream().mapToInt(entry -> entry.name().length()).max().orElse(0);
        ChronicleMapBuilder<CharSequence, BytesStore> builder = ChronicleMap.of(CharSequence.class, BytesStore.class);
        return (ChronicleMap) builder.name("penstock-offload")
                .entries(Math.max(1, entries.size()))
                .averageKeySize(Math.max(1, longestName))
                .averageValueSize(CHUNK)
                .actualSegments(1)
                .entriesPerSegment(Math.max(1, entries.size()))
                .actualChunkSize(CHUNK)
                .actualChunksPerSegmentTier(chunks(table))
                .maxChunksPerEntry(Math.toIntExact(chunks(table)))
                .allowSegmentTiering(false)
                .maxBloatFactor(1)
                .checksumEntries(false)
                .entryAndValueOffsetAlignment((int) TensorTable.ALIGNMENT)
                .sparseFile(true)
                // A kernel may be at work when the JVM is told to end: then it ends, and the space goes with it.
                .skipCloseOnExitHook(true)
                .createPersistedTo(path.toFile());
    }

    private static long chunks(TensorTable table) {
        long chunks = 1;
        for (TensorTable.Entry entry : table.entries()) {
            chunks = Math.addExact(chunks, (entry.bytes() + ENTRY_OVERHEAD + CHUNK - 1) / CHUNK);
        }
        return chunks;
    }

    private static long fileBytes(TensorTable table) {
        return Math.multiplyExact(chunks(table), (long) CHUNK);
    }

    private Tensor tensor(TensorTable.Entry entry) {
        String key = new ShardKey(entry.name(), settings.rank()).toString();
        long address;
        try (ExternalMapQueryContext<CharSequence, BytesStore<?, ?>, ?> context = map.queryContext(key)) {
            context.updateLock().lock();
            MapAbsentEntry<CharSequence, BytesStore<?, ?>> absent = context.absentEntry();
            if (absent == null) {
                throw new IllegalStateException("two shards of one key in one store: " + key);
            }
            context.insert(absent, new FreshBytes(entry.bytes()));
            MapEntry<CharSequence, BytesStore<?, ?>> made = context.entry();
            if (made == null) {
                throw new IllegalStateException("the map has not kept " + key);
            }
            Data<BytesStore<?, ?>> value = made.value();
            address = value.bytes().addressForRead(value.offset());
        }
        return Tensor.strided(segment(address, entry.bytes()), entry.dtype(), entry.shape(), entry.rowStride());
    }

    @SuppressWarnings("restricted")
    private MemorySegment segment(long address, long length) {
        return MemorySegment.ofAddress(address).reinterpret(length, arena, null);
    }

    MappedPages pages() {
        return pages;
    }

    @Override
    public String description() {
        return "Chronicle Map in " + settings.directory() + ", " + Bytes.text((double) bytes);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long reservedBytes() {
        return reservedBytes;
    }

    @Override
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException(settings.owner() + " has no tensor '" + name + "'");
        }
        return tensor;
    }

    @Override
    public void prefetch(Tensor tensor) {
        pages.prefetch(tensor);
    }

    @Override
    public void acquire(Tensor tensor) {
        pages.acquire(tensor);
    }

    @Override
    public void release(Tensor tensor) {
        pages.release(tensor);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
            map.close();
            file.close();
        }
    }
}
