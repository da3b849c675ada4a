package io.penstock.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ThreadLocalRandom;

/** This process as one end of a stream whose messages both ends copy: its token, and the copier. Of the thread that has the turn. */
final class CrossEnd {
    private static final int KNOWN_BITS = 6;
    private static final long GOLDEN = 0x9E37_79B9_7F4A_7C15L;

    private final long[] knownAddresses = new long[1 << KNOWN_BITS];
    private final long[] knownBytes = new long[1 << KNOWN_BITS];
    /** A token, and room for another's. */
    private final MemorySegment tokens = Arena.ofAuto().allocate(16, 8);

    private final CrossMemory memory = new CrossMemory();
    private final CrossBoard.Reach own;

    CrossEnd() {
        long token = ThreadLocalRandom.current().nextLong();
        tokens.set(ValueLayout.JAVA_LONG, 0, token);
        own = new CrossBoard.Reach(ProcessHandle.current().pid(), tokens.address(), token);
        CrossMemory.permit();
    }

    CrossBoard.Reach own() {
        return own;
    }

    CrossMemory memory() {
        return memory;
    }

    /** Whether the process of the other end is there, is the one that it says, and lets this one read. */
    boolean reaches(CrossBoard.Reach other) {
        tokens.set(ValueLayout.JAVA_LONG, 8, ~other.token());
        return memory.read(other.pid(), other.address(), tokens.address() + 8, Long.BYTES) == 0
                && tokens.get(ValueLayout.JAVA_LONG, 8) == other.token();
    }

    /** Whether the kernel copies from here for others: it does not from the memory of some devices. Buffers come again: the last are remembered. */
    boolean isReachable(long address, long bytes) {
        int at = (int) ((address * GOLDEN) >>> (Long.SIZE - KNOWN_BITS));
        if (knownAddresses[at] != address || knownBytes[at] != bytes) {
            if (!memory.reaches(own.pid(), address, bytes)) {
                return false;
            }
            knownAddresses[at] = address;
            knownBytes[at] = bytes;
        }
        return true;
    }

    /** The address of eight bytes that say a number, until the next call. */
    long word(long number) {
        tokens.set(ValueLayout.JAVA_LONG, 8, number);
        return tokens.address() + 8;
    }
}
