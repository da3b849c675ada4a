package io.penstock.models.weights;

import io.penstock.models.parallel.Distribution;
import io.penstock.models.weights.SafetensorsWriter.Declared;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * A {@link SafetensorsFile} that several ranks fill together, each with the elements that it holds. One of them creates it; when it has, all open it and write; it is whole
 * when all have closed it. The caller sees to that order, and that nobody takes the file for whole before.
 */
public final class SafetensorsParts implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final SafetensorsHeader header;

    private SafetensorsParts(Path path, FileChannel channel, SafetensorsHeader header) {
        this.path = path;
        this.channel = channel;
        this.header = header;
    }

    /** Makes the file in its full length; throws {@link ModelFileException} if that cannot be. */
    public static void create(Path path, List<Declared> tensors, Map<String, String> metadata) {
        List<StoredTensor> laidOut = SafetensorsWriter.layOut(tensors);
        byte[] bytes = SafetensorsHeader.bytes(laidOut, metadata);
        long data = laidOut.stream().mapToLong(StoredTensor::bytes).sum();
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(bytes), 0);
            if (data > 0) {
                SafetensorsWriter.writeFully(channel, ByteBuffer.wrap(new byte[1]), bytes.length + data - 1);
            }
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    /** Opens what {@link #create} made, here or on another rank. */
    public static SafetensorsParts open(Path path) {
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try (Arena arena = Arena.ofConfined()) {
                var file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
                return new SafetensorsParts(path, channel, SafetensorsHeader.parse(path, file));
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    /** Writes elements {@code first .. first + part.elements() - 1} of a tensor, in row-major order; {@code part} is contiguous. */
    public void write(String name, long first, Tensor part) {
        StoredTensor stored = header.tensors().get(name);
        if (stored == null) {
            throw new IllegalStateException(name + " is not declared for " + path);
        }
        if (!stored.type().isSameAs(part.dtype())
                || first < 0
                || first + part.elements() > stored.shape().elements()) {
            throw new IllegalStateException(name + " is declared " + stored.type() + stored.shape() + ", written from "
                    + first + " as " + part);
        }
        try {
            long position = stored.offset() + first * part.dtype().bytes();
            SafetensorsWriter.write(channel, part.segment().asSlice(0, part.bytes()), position);
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }

    /** As {@link #write(String, long, Tensor)}, of the part that {@code distribution} is of the tensor: {@code part} are its elements from {@code first} on. */
    public void write(String name, Distribution distribution, long first, Tensor part) {
        Tensor flat = part.reshape(Shape.of(part.elements()));
        distribution.forEachRun(
                first, part.elements(), (at, whole, count) -> write(name, whole, flat.slice(at - first, count)));
    }

    /** Returns when what was written is on disk. */
    @Override
    public void close() {
        try (channel) {
            channel.force(true);
        } catch (IOException e) {
            throw new ModelFileException(path, e);
        }
    }
}
