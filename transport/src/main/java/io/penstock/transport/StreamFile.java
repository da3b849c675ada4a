package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Shared memory of the two ends of one stream, a file that both map; how it begins.
 *
 * <pre>
 *     0 magic    8 job    16 epoch (int)    20 source (int)    24 destination (int)    28 lane (int)
 * </pre>
 */
record StreamFile(Arena arena, MemorySegment memory) implements AutoCloseable {
    /** Whose it is. */
    record Stream(long job, int epoch, int source, int destination, int lane) {}

    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    /**
     * Made by one end, without its magic.
     *
     * @throws IOException above all if there is no room for it
     */
    static StreamFile create(SharedFiles files, Path path, Stream stream, long bytes) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = files.create(path, bytes)) {
            MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            memory.set(ValueLayout.JAVA_LONG, 8, stream.job());
            memory.set(ValueLayout.JAVA_INT, 16, stream.epoch());
            memory.set(ValueLayout.JAVA_INT, 20, stream.source());
            memory.set(ValueLayout.JAVA_INT, 24, stream.destination());
            memory.set(ValueLayout.JAVA_INT, 28, stream.lane());
            return new StreamFile(arena, memory);
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    /** Its maker, once all is written that the other end reads. */
    void publish(long magic) {
        LONG.setRelease(memory, 0L, magic);
    }

    /**
     * Opened by the other end.
     *
     * @throws IOException if there is none, or it is not that of this stream
     */
    static StreamFile open(Path path, Stream stream, long magic, long leastBytes, String what) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size(), arena);
            if (memory.byteSize() < leastBytes || (long) LONG.getAcquire(memory, 0L) != magic) {
                throw new IOException(path + " is no " + what);
            }
            Stream found = new Stream(
                    memory.get(ValueLayout.JAVA_LONG, 8),
                    memory.get(ValueLayout.JAVA_INT, 16),
                    memory.get(ValueLayout.JAVA_INT, 20),
                    memory.get(ValueLayout.JAVA_INT, 24),
                    memory.get(ValueLayout.JAVA_INT, 28));
            if (!found.equals(stream)) {
                throw new IOException(path + " is of " + found + ", not of " + stream);
            }
            return new StreamFile(arena, memory);
        } catch (IOException e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
