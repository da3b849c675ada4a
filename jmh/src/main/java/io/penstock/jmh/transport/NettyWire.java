package io.penstock.jmh.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/** Netty's NIO transport on loopback: bytes arrive in pooled buffers and are copied to their destination, as Netty applications do. */
final class NettyWire implements Wire {
    private final EventLoopGroup group;
    private final Channel channel;
    private final Inbox inbox;

    private NettyWire(EventLoopGroup group, Channel channel, Inbox inbox) {
        this.group = group;
        this.channel = channel;
        this.inbox = inbox;
    }

    /** A listening Netty, and the first connection to it. */
    record Listener(EventLoopGroup group, int port, CompletableFuture<NettyWire> accepted) {}

    static Listener listen() throws InterruptedException {
        EventLoopGroup group = new NioEventLoopGroup(1);
        CompletableFuture<NettyWire> accepted = new CompletableFuture<>();
        Channel server = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_RCVBUF, NioWire.SOCKET_BYTES)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_SNDBUF, NioWire.SOCKET_BYTES)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel child) {
                        Inbox inbox = new Inbox();
                        child.pipeline().addLast(inbox);
                        accepted.complete(new NettyWire(group, child, inbox));
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
        return new Listener(group, ((InetSocketAddress) server.localAddress()).getPort(), accepted);
    }

    static NettyWire connect(int port) throws InterruptedException {
        EventLoopGroup group = new NioEventLoopGroup(1);
        Inbox inbox = new Inbox();
        Channel channel = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_SNDBUF, NioWire.SOCKET_BYTES)
                .option(ChannelOption.SO_RCVBUF, NioWire.SOCKET_BYTES)
                .handler(inbox)
                .connect(InetAddress.getLoopbackAddress(), port)
                .sync()
                .channel();
        return new NettyWire(group, channel, inbox);
    }

    @Override
    public void send(MemorySegment[] buffers, long length, int count) throws Exception {
        ByteBuffer[] views = NioWire.views(buffers, length);
        int window = Math.min(WINDOW, count);
        ChannelFuture[] written = new ChannelFuture[window];
        for (int i = 0; i < count + window; i++) {
            if (i >= window) {
                written[i % window].sync();
            }
            if (i < count) {
                written[i % window] = channel.writeAndFlush(Unpooled.wrappedBuffer(views[i % views.length]));
            }
        }
    }

    @Override
    public void receive(MemorySegment[] buffers, long length, int count) throws Exception {
        inbox.expect(NioWire.views(buffers, length), length * count);
    }

    @Override
    public void close() {
        channel.close().syncUninterruptibly();
        group.shutdownGracefully().syncUninterruptibly();
    }

    /** Copies what comes to the buffers in turn; reads only while something is expected. */
    private static final class Inbox extends ChannelInboundHandlerAdapter {
        private final Semaphore arrived = new Semaphore(0);
        private final Semaphore wanted = new Semaphore(0);
        private ByteBuffer[] views = {ByteBuffer.allocate(0), ByteBuffer.allocate(0)};
        private int current;
        private volatile long missing;

        void expect(ByteBuffer[] into, long bytes) throws InterruptedException {
            views = into;
            current = 0;
            missing = bytes;
            wanted.release();
            arrived.acquire();
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws InterruptedException {
            ByteBuf bytes = (ByteBuf) message;
            try {
                while (bytes.isReadable()) {
                    while (missing == 0) {
                        wanted.acquire();
                    }
                    take(bytes);
                }
            } finally {
                bytes.release();
            }
        }

        private void take(ByteBuf bytes) {
            ByteBuffer view = views[current];
            int length = Math.min(view.remaining(), bytes.readableBytes());
            view.limit(view.position() + length);
            bytes.readBytes(view);
            view.limit(view.capacity());
            long left = missing - length;
            missing = left;
            if (!view.hasRemaining()) {
                view.clear();
                current = (current + 1) % views.length;
            }
            if (left == 0) {
                arrived.release();
            }
        }
    }
}
