package io.penstock.transport;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The files that ranks of one machine share beside Aeron's, in the directory of their media driver: they live and die with it. */
record SharedFiles(Path directory) {
    private static final int FILL_BYTES = 64 * 1024;

    static SharedFiles in(String driverDirectory) {
        return new SharedFiles(Path.of(driverDirectory).resolve("penstock"));
    }

    Path slab(StreamFile.Stream stream) {
        return file("slab", stream);
    }

    Path board(StreamFile.Stream stream) {
        return file("board", stream);
    }

    private Path file(String what, StreamFile.Stream stream) {
        return directory.resolve(what + "-" + Long.toHexString(stream.job()) + "-" + stream.epoch() + "-"
                + stream.source() + "-" + stream.destination() + "-" + stream.lane());
    }

    Path memory(long job, int epoch, int rank, int block) {
        return directory.resolve("memory-" + Long.toHexString(job) + "-" + epoch + "-" + rank + "-" + block);
    }

    Path doorbell(long job, int epoch, int rank) {
        return directory.resolve("doorbell-" + Long.toHexString(job) + "-" + epoch + "-" + rank);
    }

    /** What is free where the files are. */
    long usableBytes() throws IOException {
        return Files.getFileStore(directory.getParent()).getUsableSpace();
    }

    /** A new file of zeros, mode 0600. All bytes are written, so that a full file system is an error here and no signal later. */
    FileChannel create(Path path, long bytes) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.deleteIfExists(path);
        Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            ByteBuffer zeros = ByteBuffer.allocate(FILL_BYTES);
            for (long at = 0; at < bytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(FILL_BYTES, bytes - at));
                while (zeros.hasRemaining()) {
                    channel.write(zeros, at + zeros.position());
                }
            }
            return channel;
        } catch (IOException e) {
            channel.close();
            Files.deleteIfExists(path);
            throw e;
        }
    }
}
