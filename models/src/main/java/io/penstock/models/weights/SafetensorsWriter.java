package io.penstock.models.weights;

import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Streams tensors into a {@link SafetensorsFile}. What the file will hold is told first, then each tensor is written once, in any order, from any host
 * memory of its dtype. The file appears under its name, whole and on disk, when {@link #commit} returns; a writer closed before leaves nothing.
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final int CHUNK_BYTES = 1 << 20;

    private final AtomicFile file;
    private final long dataStart;
    private final Map<String, StoredTensor> missing = new HashMap<>();

    private SafetensorsWriter(AtomicFile file, List<StoredTensor> tensors, long dataStart) {
        this.file = file;
        this.dataStart = dataStart;
        tensors.forEach(tensor -> missing.put(tensor.name(), tensor));
    }

    /** What a file will hold: a tensor's name, dtype and shape. */
    public record Declared(String name, DType dtype, Shape shape) {}

    /** Throws {@link ModelFileException} if the file cannot be created. Hugging Face's readers want {@code metadata} with format = pt. */
    public static SafetensorsWriter create(Path path, List<Declared> tensors, Map<String, String> metadata) {
        List<StoredTensor> laidOut = layOut(tensors);
        AtomicFile file = AtomicFile.create(path);
        try {
            byte[] header = SafetensorsHeader.bytes(laidOut, metadata);
            writeFully(file.channel(), ByteBuffer.wrap(header), 0);
            return new SafetensorsWriter(file, laidOut, header.length);
        } catch (IOException e) {
            file.close();
            throw new ModelFileException(path, e);
        }
    }

    /** One after another. */
    static List<StoredTensor> layOut(List<Declared> tensors) {
        List<StoredTensor> laidOut = new ArrayList<>();
        long offset = 0;
        for (Declared declared : tensors) {
            var tensor = new StoredTensor(declared.name(), ElementType.of(declared.dtype()), declared.shape(), offset);
            laidOut.add(tensor);
            offset = Math.addExact(offset, tensor.bytes());
        }
        if (laidOut.stream().map(StoredTensor::name).distinct().count() != laidOut.size()) {
            throw new IllegalStateException("two tensors of one name in " + tensors);
        }
        return laidOut;
    }

    /** Writes all of {@code tensor}; strided rows are packed. */
    public void write(String name, Tensor tensor) {
        StoredTensor stored = missing.get(name);
        if (stored == null) {
            throw new IllegalStateException(name + " is not declared for " + file.path() + ", or written twice");
        }
        if (!stored.type().isSameAs(tensor.dtype()) || !stored.shape().equals(tensor.shape())) {
            throw new IllegalStateException(
                    name + " is declared " + stored.type() + stored.shape() + ", written as " + tensor);
        }
        try {
            long position = dataStart + stored.offset();
            if (tensor.isContiguous()) {
                write(tensor.segment().asSlice(0, tensor.bytes()), position);
            } else {
                writeRows(tensor, position);
            }
            missing.remove(name);
        } catch (IOException e) {
            throw new ModelFileException(file.path(), e);
        }
    }

    private void writeRows(Tensor tensor, long position) throws IOException {
        long rowBytes = tensor.shape().last() * tensor.dtype().bytes();
        long strideBytes = tensor.rowStride() * tensor.dtype().bytes();
        for (long row = 0; row < tensor.shape().rows(); row++) {
            write(tensor.segment().asSlice(row * strideBytes, rowBytes), position + row * rowBytes);
        }
    }

    /** In pieces through a buffer of our own: the channel takes no segment of a shared arena, and would keep a direct buffer as large as ours. */
    private void write(MemorySegment bytes, long position) throws IOException {
        write(file.channel(), bytes, position);
    }

    static void write(FileChannel channel, MemorySegment bytes, long position) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chunk = arena.allocate(Math.min(CHUNK_BYTES, Math.max(1, bytes.byteSize())));
            for (long from = 0; from < bytes.byteSize(); from += CHUNK_BYTES) {
                long count = Math.min(CHUNK_BYTES, bytes.byteSize() - from);
                MemorySegment.copy(bytes, from, chunk, 0, count);
                writeFully(channel, chunk.asSlice(0, count).asByteBuffer(), position + from);
            }
        }
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Makes the file appear; {@link IllegalStateException} while a tensor is missing. */
    public void commit() {
        if (!missing.isEmpty()) {
            throw new IllegalStateException(file.path() + " misses " + missing.keySet());
        }
        file.commit();
    }

    @Override
    public void close() {
        file.close();
    }
}
