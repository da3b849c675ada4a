package io.penstock.engine.offload;

import io.penstock.partitioner.render.Bytes;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * All tensors in one mapped file, laid out as their table says. The kernel's page cache holds as much of it as there is room for.
 *
 * <pre>
 *   0         offset of a table's entry                    table.totalBytes()
 *   +---------+--------------------------+---------------+
 *   | m:wte   | v:wte                    | ...           |   native elements, no header: nobody opens it again
 *   +---------+--------------------------+---------------+
 * </pre>
 */
final class MappedFileStore implements ShardStore {
    private final StoreSettings settings;
    private final long bytes;
    private final Arena arena;
    private final StoreFile file;
    private final MappedPages pages;
    private final TensorSource tensors;
    private boolean closed;

    private MappedFileStore(
            StoreSettings settings, TensorTable table, Arena arena, StoreFile file, MemorySegment mapped) {
        this.settings = settings;
        this.bytes = table.totalBytes();
        this.arena = arena;
        this.file = file;
        this.pages = new MappedPages(file, mapped.address(), bytes);
        this.tensors = CarvedMemory.over(Tensor.of(mapped, DType.F32, Shape.of(bytes / DType.F32.bytes())), table);
    }

    /** Throws {@link StoreException} where there is no room or no permission. */
    static MappedFileStore open(StoreSettings settings, TensorTable table) {
        try (StoreFolder folder = StoreFolder.create(settings.directory())) {
            Path path = folder.file("shards");
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                StoreFile file = StoreFile.of(path, settings.directory(), settings.owner());
                // From here on the file is gone when this process is, however it ends.
                folder.delete();
                return map(settings, table, channel, file);
            }
        } catch (IOException e) {
            throw StoreException.unusable(settings, e);
        }
    }

    private static MappedFileStore map(StoreSettings settings, TensorTable table, FileChannel channel, StoreFile file)
            throws IOException {
        Arena arena = Arena.ofShared();
        try {
            file.reserve(channel, table.totalBytes());
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, table.totalBytes(), arena);
            return new MappedFileStore(settings, table, arena, file, mapped);
        } catch (IOException | RuntimeException e) {
            arena.close();
            file.close();
            throw e;
        }
    }

    MappedPages pages() {
        return pages;
    }

    @Override
    public String description() {
        return "mapped file in " + settings.directory() + ", " + Bytes.text((double) bytes);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long reservedBytes() {
        return bytes;
    }

    @Override
    public Tensor tensor(String name) {
        return tensors.tensor(name);
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
            file.close();
        }
    }
}
