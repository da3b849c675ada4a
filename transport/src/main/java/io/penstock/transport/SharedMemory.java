package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory of this rank that the ranks of the same media driver can read: a large message that lies in it is announced by its place
 * ({@link Frame#SHARED}) and copied once, by the receiver. Each allocation is a file beside those of Aeron, mapped by its owner, and by a
 * peer when the first message from it comes. It is unmapped when no segment of it is reachable any more; names go on close.
 */
final class SharedMemory {
    private static final Logger LOG = LoggerFactory.getLogger(SharedMemory.class);
    /** A place takes a linear search. */
    private static final int MAX_BLOCKS = 256;

    static final int NOT_SHARED = -1;

    private final AgentContext context;
    private final SharedFiles files;
    private final long reservedBytes;
    private final List<Path> names = new ArrayList<>();
    /** Of each peer its blocks, where they are mapped here. */
    private final AtomicReferenceArray<@Nullable MemorySegment> ofPeers;
    /** Copied on write, so that the thread that sends can read it at any time. */
    private volatile MemorySegment[] blocks = {};

    /** {@code reservedBytes}: what must stay free where the files are. */
    SharedMemory(AgentContext context, SharedFiles files, int worldSize, long reservedBytes) {
        this.context = context;
        this.files = files;
        this.reservedBytes = reservedBytes;
        this.ofPeers = new AtomicReferenceArray<>(worldSize * MAX_BLOCKS);
    }

    /** New shared memory of zeros, mapped page by page; empty, and a warning, where there is no room for it. */
    synchronized Optional<MemorySegment> allocate(long bytes) {
        int number = blocks.length;
        Path path = files.memory(context.job(), context.epoch(), context.rank(), number);
        try {
            if (number == MAX_BLOCKS) {
                throw new IOException("there are " + MAX_BLOCKS + " blocks of it already");
            }
            checkSpace(bytes);
            try (FileChannel channel = files.create(path, bytes)) {
                checkSpace(0); // others may have allocated at the same time
                MemorySegment block = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, Arena.ofAuto());
                block.load();
                names.add(path);
                MemorySegment[] more = Arrays.copyOf(blocks, number + 1);
                more[number] = block;
                blocks = more;
                return Optional.of(block);
            } catch (IOException e) {
                Files.deleteIfExists(path);
                throw e;
            }
        } catch (IOException e) {
            LOG.warn(
                    "rank {}: no {} bytes of shared memory, private memory instead: {}",
                    context.rank(),
                    bytes,
                    e.toString());
            return Optional.empty();
        }
    }

    private void checkSpace(long bytes) throws IOException {
        long free = files.usableBytes();
        if (free - reservedBytes < bytes) {
            throw new IOException(free + " bytes are free in " + files.directory()
                    + ", of which the streams between all ranks may need " + reservedBytes
                    + ": enlarge it (docker run --shm-size)");
        }
    }

    /** The block that holds the bytes at an address, or {@link #NOT_SHARED}. */
    int blockOf(long address, long length) {
        MemorySegment[] all = blocks;
        for (int i = 0; i < all.length; i++) {
            long from = address - all[i].address();
            if (from >= 0 && from <= all[i].byteSize() - length) {
                return i;
            }
        }
        return NOT_SHARED;
    }

    long offsetIn(int block, long address) {
        return address - blocks[block].address();
    }

    /**
     * A block of a peer; of any thread.
     *
     * @throws IOException if it cannot be opened
     */
    MemorySegment ofPeer(int peer, int block) throws IOException {
        if (block < 0 || block >= MAX_BLOCKS) {
            throw new IOException("block " + block + " is not in [0, " + MAX_BLOCKS + ")");
        }
        int index = peer * MAX_BLOCKS + block;
        MemorySegment memory = ofPeers.get(index);
        if (memory == null) {
            Path path = files.memory(context.job(), context.epoch(), peer, block);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                memory = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
            }
            ofPeers.set(index, memory);
        }
        return memory;
    }

    synchronized void close() {
        for (Path name : names) {
            try {
                Files.deleteIfExists(name);
            } catch (IOException e) {
                LOG.warn("rank {}: {} stays: {}", context.rank(), name, e.toString());
            }
        }
        names.clear();
    }
}
