package io.penstock.models.weights;

import io.penstock.models.parallel.Distribution;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/**
 * A safetensors file, mapped into memory and checked as a whole when opened: every tensor's shape fits its bytes, and the tensors fill the data without
 * gap or overlap. Little-endian.
 *
 * <pre>
 *   0               8                        8 + n                            end
 *   +---------------+------------------------+--------------------------------+
 *   | n: u64        | header: n bytes JSON,  | data: the tensors, row-major,  |
 *   |               | padded with spaces     | one after another              |
 *   +---------------+------------------------+--------------------------------+
 *   header: {"__metadata__": {"format": "pt"},
 *            "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [from, to]}, ...}   offsets count from the start of data
 * </pre>
 *
 * <p>Source: the format's specification, github.com/huggingface/safetensors.
 */
public final class SafetensorsFile implements AutoCloseable {
    private final Path path;
    private final Arena arena;
    private final MemorySegment file;
    private final SafetensorsHeader header;
    private boolean closed;

    private SafetensorsFile(Path path, Arena arena, MemorySegment file, SafetensorsHeader header) {
        this.path = path;
        this.arena = arena;
        this.file = file;
        this.header = header;
    }

    /** Throws {@link ModelFileException} with the byte offset of what is wrong. */
    public static SafetensorsFile open(Path path) {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new SafetensorsFile(path, arena, file, SafetensorsHeader.parse(path, file));
        } catch (IOException e) {
            arena.close();
            throw e instanceof NoSuchFileException
                    ? new ModelFileException(path, "no such file")
                    : new ModelFileException(path, e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /** In order of their data. */
    public Collection<StoredTensor> tensors() {
        return header.tensors().values();
    }

    public Optional<StoredTensor> find(String name) {
        return Optional.ofNullable(header.tensors().get(name));
    }

    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** The bytes of {@code tensor} in the mapped file, read-only; may not be aligned to its elements. */
    public MemorySegment data(StoredTensor tensor) {
        return file.asSlice(tensor.offset(), tensor.bytes());
    }

    /** Overwrites {@code into}, host memory, with all of the tensor, cast to its dtype. */
    public void read(StoredTensor stored, Tensor into) {
        if (into.elements() != stored.shape().elements()) {
            throw new ModelFileException(
                    path,
                    stored.offset(),
                    stored.name() + " has shape " + stored.shape() + ", expected " + into.shape());
        }
        read(stored, 0, into);
    }

    /** Overwrites {@code into} with elements {@code first .. first + into.elements() - 1}, in row-major order. */
    public void read(StoredTensor stored, long first, Tensor into) {
        if (!stored.type().isReadable()) {
            throw new ModelFileException(
                    path, stored.offset(), stored.name() + " is " + stored.type() + ", expected F64, F32, F16 or BF16");
        }
        MemorySegment data = data(stored)
                .asSlice(
                        first * stored.type().bytes(),
                        into.elements() * stored.type().bytes());
        if (into.isContiguous() && stored.type().isSameAs(into.dtype())) {
            MemorySegment.copy(data, 0, into.segment(), 0, data.byteSize());
            return;
        }
        for (long i = 0; i < into.elements(); i++) {
            into.set(i, stored.type().get(data, i));
        }
    }

    /** Overwrites {@code into}, contiguous, with elements {@code first .. first + into.elements() - 1} of the part that {@code part} is of the tensor. */
    public void read(StoredTensor stored, Distribution part, long first, Tensor into) {
        Tensor flat = into.reshape(Shape.of(into.elements()));
        part.forEachRun(
                first, into.elements(), (at, whole, count) -> read(stored, whole, flat.slice(at - first, count)));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
        }
    }
}
