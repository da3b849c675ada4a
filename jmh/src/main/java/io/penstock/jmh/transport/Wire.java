package io.penstock.jmh.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** One end of a connection between two processes; of one thread. */
interface Wire extends AutoCloseable {
    /** Sends {@code count} messages of {@code length} bytes from two buffers in turn, two under way where the wire can. */
    void send(MemorySegment[] buffers, long length, int count) throws Exception;

    /** Receives {@code count} messages of {@code length} bytes into two buffers in turn. */
    void receive(MemorySegment[] buffers, long length, int count) throws Exception;

    @Override
    void close() throws IOException;
}
