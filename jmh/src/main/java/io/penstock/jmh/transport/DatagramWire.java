package io.penstock.jmh.transport;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.concurrent.TimeUnit;

/** Plain UDP: datagrams as fast as the socket takes them, whether they arrive or not. */
record DatagramWire(DatagramChannel channel, int payloadBytes) implements AutoCloseable {
    private static final long SILENCE_NS = TimeUnit.MILLISECONDS.toNanos(200);

    /** What came of it: the rate at which bytes arrived, and the share of them that did not. */
    record Arrival(double bytesPerSecond, double lostShare) {}

    static DatagramWire open(InetSocketAddress own, InetSocketAddress peer, int payloadBytes) throws IOException {
        DatagramChannel channel = DatagramChannel.open()
                .setOption(StandardSocketOptions.SO_RCVBUF, NioWire.SOCKET_BYTES)
                .setOption(StandardSocketOptions.SO_SNDBUF, NioWire.SOCKET_BYTES)
                .bind(own)
                .connect(peer);
        return new DatagramWire(channel, payloadBytes);
    }

    void send(MemorySegment memory, long bytes) throws IOException {
        ByteBuffer view = memory.asSlice(0, payloadBytes).asByteBuffer();
        for (long sent = 0; sent < bytes; sent += payloadBytes) {
            channel.write(view.clear());
        }
    }

    Arrival receive(MemorySegment memory, long bytes) throws IOException {
        ByteBuffer view = memory.asSlice(0, payloadBytes).asByteBuffer();
        channel.configureBlocking(false);
        long arrived = 0;
        long firstNs = 0;
        long lastNs = System.nanoTime();
        while (arrived < bytes && (arrived == 0 || System.nanoTime() - lastNs < SILENCE_NS)) {
            int length = channel.read(view.clear());
            if (length <= 0) {
                Thread.onSpinWait();
                continue;
            }
            lastNs = System.nanoTime();
            firstNs = arrived == 0 ? lastNs : firstNs;
            arrived += length;
        }
        return new Arrival(arrived * 1e9 / (lastNs - firstNs), 1 - arrived / (double) bytes);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
