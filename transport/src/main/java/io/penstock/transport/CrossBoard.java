package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the two ends of a stream agree on the messages that they copy together, each with its own core and from its own end, straight from
 * the sender's memory to the receiver's ({@link CrossMemory}). A page of shared memory, made by the sender. Of each message the receiver
 * claims pieces from the front and the sender from the back, until they meet.
 *
 * <pre>
 *     0 magic "PNCROS01", and the rest of a {@link StreamFile}'s beginning
 *    32 the sender's {@link Reach}: process, address of its token, token (longs)
 *    64 answer of the receiver (long): 0 none yet, 1 it reaches the sender, 2 it does not
 *    72 the receiver's {@link Reach}: process, address of its token, token (longs)
 *    96 address of this page in the receiver (long)
 *   112 withdrawn (long): 1 when the sender may have given back the memory of what is not done
 *   128 done (long): number of messages that the receiver has whole
 *   256 entry 0, entry 1, ... of 128 bytes each, one for a message, used in turn:
 *       + 0 opened (long): number of the message, counted from 1     + 8 address of its destination in the receiver (long)
 *       +16 claims (long): pieces of the receiver (lower half), of the sender (upper half), and whether the sender may claim no more (sign)
 *       +64 written (long): pieces that the sender has written     +72 receipt (long): the same, written by the kernel with the bytes
 * </pre>
 */
final class CrossBoard implements AutoCloseable {
    /** By what a process proves that it can be reached: who reads the token at its address has found the right one. */
    record Reach(long pid, long address, long token) {}

    static final long BYTES = 4096;
    /** Messages of a stream that may be announced and not done. */
    static final int ENTRIES = 16;

    static final long REACHES = 1;
    static final long REACHES_NOT = 2;

    private static final long MAGIC = 0x3130_534F_5243_4E50L;
    private static final long SENDER_OFFSET = 32;
    private static final long ANSWER_OFFSET = 64;
    private static final long RECEIVER_OFFSET = 72;
    private static final long PAGE_OFFSET = 96;
    private static final long WITHDRAWN_OFFSET = 112;
    private static final long DONE_OFFSET = 128;
    private static final long FIRST_ENTRY_OFFSET = 256;
    private static final long ENTRY_BYTES = 128;
    private static final long DESTINATION = 8;
    private static final long CLAIMS = 16;
    private static final long WRITTEN = 64;
    private static final long RECEIPT = 72;

    private static final long CLOSED = Long.MIN_VALUE;
    private static final long ONE_OF_SENDER = 1L << 32;
    /** A piece is half a message, so that both ends have one, up to this. */
    private static final long MAX_PIECE_BYTES = 1 << 20;

    private static final long PAGE_BYTES = 4096;
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final StreamFile file;
    private final MemorySegment memory;

    private CrossBoard(StreamFile file) {
        this.file = file;
        this.memory = file.memory();
    }

    /**
     * Made by the sender.
     *
     * @throws IOException if there is no room for it
     */
    static CrossBoard create(SharedFiles files, StreamFile.Stream stream, Reach sender) throws IOException {
        CrossBoard board = new CrossBoard(StreamFile.create(files, files.board(stream), stream, BYTES));
        board.put(SENDER_OFFSET, sender);
        board.file.publish(MAGIC);
        return board;
    }

    /**
     * Opened by the receiver, who takes its name away.
     *
     * @throws IOException if there is none, or it is not that of this stream
     */
    static CrossBoard open(SharedFiles files, StreamFile.Stream stream) throws IOException {
        Path path = files.board(stream);
        StreamFile file = StreamFile.open(path, stream, MAGIC, BYTES, "board of messages");
        Files.delete(path);
        return new CrossBoard(file);
    }

    static long pieceBytes(long length) {
        return Math.min(Math.ceilDiv(Math.ceilDiv(length, 2), PAGE_BYTES) * PAGE_BYTES, MAX_PIECE_BYTES);
    }

    static long pieces(long length) {
        return Math.ceilDiv(length, pieceBytes(length));
    }

    private void put(long offset, Reach reach) {
        memory.set(ValueLayout.JAVA_LONG, offset, reach.pid());
        memory.set(ValueLayout.JAVA_LONG, offset + 8, reach.address());
        memory.set(ValueLayout.JAVA_LONG, offset + 16, reach.token());
    }

    private Reach reach(long offset) {
        return new Reach(
                memory.get(ValueLayout.JAVA_LONG, offset),
                memory.get(ValueLayout.JAVA_LONG, offset + 8),
                memory.get(ValueLayout.JAVA_LONG, offset + 16));
    }

    Reach sender() {
        return reach(SENDER_OFFSET);
    }

    /** After the {@link #answer}. */
    Reach receiver() {
        return reach(RECEIVER_OFFSET);
    }

    /** The receiver: who it is, and whether it reaches the sender. */
    void setAnswer(Reach receiver, long answer) {
        put(RECEIVER_OFFSET, receiver);
        memory.set(ValueLayout.JAVA_LONG, PAGE_OFFSET, memory.address());
        LONG.setRelease(memory, ANSWER_OFFSET, answer);
    }

    /** 0 before there is one. */
    long answer() {
        return (long) LONG.getAcquire(memory, ANSWER_OFFSET);
    }

    private static long entry(long number) {
        return FIRST_ENTRY_OFFSET + number % ENTRIES * ENTRY_BYTES;
    }

    /** The receiver: has a destination for a message. */
    void open(long number, long destination) {
        long at = entry(number);
        memory.set(ValueLayout.JAVA_LONG, at + DESTINATION, destination);
        memory.set(ValueLayout.JAVA_LONG, at + WRITTEN, 0);
        memory.set(ValueLayout.JAVA_LONG, at + RECEIPT, 0);
        memory.set(ValueLayout.JAVA_LONG, at + CLAIMS, 0);
        LONG.setRelease(memory, at, number + 1);
    }

    /** The sender: whether the receiver has opened it. */
    boolean isOpen(long number) {
        return (long) LONG.getAcquire(memory, entry(number)) == number + 1;
    }

    /** The sender, of a message that is open. */
    long destination(long number) {
        return memory.get(ValueLayout.JAVA_LONG, entry(number) + DESTINATION);
    }

    /** Where the receipt lies in the receiver. */
    long receiptAddress(long number) {
        return memory.get(ValueLayout.JAVA_LONG, PAGE_OFFSET) + entry(number) + RECEIPT;
    }

    /** The receiver: the next piece from the front, or -1 if all are claimed. */
    long claimFront(long number, long pieces) {
        while (true) {
            long claims = claims(number);
            if (front(claims) + back(claims) >= pieces) {
                return -1;
            }
            if (LONG.compareAndSet(memory, entry(number) + CLAIMS, claims, claims + 1)) {
                return front(claims);
            }
        }
    }

    /** The sender: the next piece from the back, or -1 if there is none for it. */
    long claimBack(long number, long pieces) {
        while (true) {
            long claims = claims(number);
            if (claims < 0 || front(claims) + back(claims) >= pieces) {
                return -1;
            }
            if (LONG.compareAndSet(memory, entry(number) + CLAIMS, claims, claims + ONE_OF_SENDER)) {
                return pieces - 1 - back(claims);
            }
        }
    }

    /** The sender: cannot write the piece that it claimed last, nor any other of the message. */
    void giveBack(long number) {
        long ignored = (long) LONG.getAndAdd(memory, entry(number) + CLAIMS, -ONE_OF_SENDER);
        close(number);
    }

    /** The sender may claim no more of it. */
    void close(long number) {
        long ignored = (long) LONG.getAndBitwiseOr(memory, entry(number) + CLAIMS, CLOSED);
    }

    /** Pieces that the sender has written of a message. */
    long written(long number) {
        return (long) LONG.getAcquire(memory, entry(number) + WRITTEN);
    }

    void setWritten(long number, long pieces) {
        LONG.setRelease(memory, entry(number) + WRITTEN, pieces);
    }

    /** The receiver: pieces that the sender has claimed and not said to be written. */
    long unwritten(long number) {
        return back(claims(number)) - written(number);
    }

    /** As {@link #unwritten}, and the kernel has left no receipt of them either. */
    long unwrittenByReceipt(long number) {
        long receipt = (long) LONG.getAcquire(memory, entry(number) + RECEIPT);
        return back(claims(number)) - Math.max(written(number), receipt);
    }

    /** Whether all pieces of a message are claimed. */
    boolean isClaimed(long number, long pieces) {
        long claims = claims(number);
        return front(claims) + back(claims) >= pieces;
    }

    private long claims(long number) {
        return (long) LONG.getVolatile(memory, entry(number) + CLAIMS);
    }

    private static long front(long claims) {
        return claims & 0xFFFF_FFFFL;
    }

    private static long back(long claims) {
        return (claims & Long.MAX_VALUE) >>> 32;
    }

    /** Number of messages that the receiver has whole. */
    long done() {
        return (long) LONG.getAcquire(memory, DONE_OFFSET);
    }

    void setDone(long messages) {
        LONG.setRelease(memory, DONE_OFFSET, messages);
    }

    /** The sender: what is not done will not be. */
    void withdraw() {
        LONG.setVolatile(memory, WITHDRAWN_OFFSET, 1L);
    }

    /** The receiver: after it has read all of a message, whether that may have come too late. */
    boolean isWithdrawn() {
        return (long) LONG.getVolatile(memory, WITHDRAWN_OFFSET) != 0;
    }

    @Override
    public void close() {
        file.close();
    }
}
