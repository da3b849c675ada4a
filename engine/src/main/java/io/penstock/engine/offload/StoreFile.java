package io.penstock.engine.offload;

import io.penstock.partitioner.render.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Owner of a descriptor of a store's file, whatever becomes of its name: reserves its space and begins to write its pages. */
final class StoreFile implements AutoCloseable {
    private static final int FILL_BYTES = 1 << 20;

    private final String owner;
    private final Path directory;
    private final int descriptor;
    private boolean closed;

    private StoreFile(String owner, Path directory, int descriptor) {
        this.owner = owner;
        this.directory = directory;
        this.descriptor = descriptor;
    }

    /** {@code directory} is what the user knows the place by; {@code owner} is named in errors. */
    static StoreFile of(Path file, Path directory, String owner) {
        return new StoreFile(owner, directory, Posix.open(file));
    }

    /**
     * Gives the file {@code bytes} bytes that no other file can take any more, so that no write to its mapping can fail for want of space (which would end the JVM).
     *
     * @param channel of the same file
     */
    void reserve(FileChannel channel, long bytes) throws IOException {
        requireSpace(directory, bytes - channel.size(), owner);
        int error = descriptor < 0 ? -1 : Posix.fallocate(descriptor, bytes);
        switch (error) {
            case 0 -> {}
            case Posix.ENOSPC, Posix.EDQUOT, Posix.EFBIG -> throw full(directory, bytes, owner, "error " + error);
            default -> fill(channel, bytes);
        }
    }

    /** The way of file systems that cannot reserve. Writes zeros where nothing has been written. */
    private void fill(FileChannel channel, long bytes) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(FILL_BYTES);
        try {
            for (long at = channel.size(); at < bytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(FILL_BYTES, bytes - at));
                while (zeros.hasRemaining()) {
                    channel.write(zeros, at + zeros.position());
                }
            }
        } catch (IOException e) {
            throw full(directory, bytes, owner, String.valueOf(e.getMessage()));
        }
    }

    /** Throws if the file system of {@code directory} has less than {@code bytes} bytes free. */
    static void requireSpace(Path directory, long bytes, String owner) throws IOException {
        long free = Files.getFileStore(directory).getUsableSpace();
        if (bytes > free) {
            throw full(directory, bytes, owner, "too few");
        }
    }

    private static StoreException full(Path directory, long bytes, String owner, String reason) throws IOException {
        long free = Files.getFileStore(directory).getUsableSpace();
        return new StoreException(owner + " needs " + bytes + " bytes (" + Bytes.text((double) bytes) + ") in "
                + directory + ", " + free + " (" + Bytes.text((double) free) + ") are free there (" + reason
                + "): make room, name another folder in cluster.offload_store.directory, or use more ranks");
    }

    void startWriting(long offset, long bytes) {
        if (descriptor >= 0) {
            Posix.startWriting(descriptor, offset, bytes);
        }
    }

    @Override
    public void close() {
        if (!closed && descriptor >= 0) {
            Posix.close(descriptor);
        }
        closed = true;
    }
}
