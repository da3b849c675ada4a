package io.penstock.jmh.transport;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/** A blocking TCP socket. */
record NioWire(SocketChannel channel) implements Wire {
    static final int SOCKET_BYTES = 4 << 20;

    static ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open()
                .setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BYTES)
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    static NioWire accept(ServerSocketChannel server) throws IOException {
        return tuned(server.accept());
    }

    static NioWire connect(int port) throws IOException {
        return tuned(SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
    }

    static NioWire tuned(SocketChannel channel) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BYTES);
        return new NioWire(channel);
    }

    @Override
    public void send(MemorySegment[] buffers, long length, int count) throws IOException {
        ByteBuffer[] views = views(buffers, length);
        for (int i = 0; i < count; i++) {
            ByteBuffer view = views[i % views.length].clear();
            while (view.hasRemaining()) {
                channel.write(view);
            }
        }
    }

    @Override
    public void receive(MemorySegment[] buffers, long length, int count) throws IOException {
        ByteBuffer[] views = views(buffers, length);
        for (int i = 0; i < count; i++) {
            ByteBuffer view = views[i % views.length].clear();
            while (view.hasRemaining()) {
                if (channel.read(view) < 0) {
                    throw new EOFException("the other process closed its socket");
                }
            }
        }
    }

    static ByteBuffer[] views(MemorySegment[] buffers, long length) {
        return Arrays.stream(buffers)
                .map(buffer -> buffer.asSlice(0, length).asByteBuffer())
                .toArray(ByteBuffer[]::new);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
