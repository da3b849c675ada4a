package io.penstock.jmh.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** One end of a connection between two processes; of one thread. */
interface Wire extends AutoCloseable {
    /** Messages under way where the wire can have several. */
    int WINDOW = 8;

    /** Sends {@code count} messages of {@code length} bytes from the buffers in turn. */
    void send(MemorySegment[] buffers, long length, int count) throws Exception;

    /** Receives {@code count} messages of {@code length} bytes into the buffers in turn. */
    void receive(MemorySegment[] buffers, long length, int count) throws Exception;

    @Override
    void close() throws IOException;
}
