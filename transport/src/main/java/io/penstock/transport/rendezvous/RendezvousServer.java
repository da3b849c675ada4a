package io.penstock.transport.rendezvous;

import io.penstock.transport.Membership;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.SecureRandom;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gathers the ranks of one run; hosted by the launcher or by rank 0. */
public final class RendezvousServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RendezvousServer.class);
    private static final int REQUEST_LIMIT_MS = 5_000;
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final ServerSocket listener;
    private final JobToken token;
    private final Gathering gathering;
    private final Set<Thread> connections = ConcurrentHashMap.newKeySet();
    private final SecureRandom random = new SecureRandom();
    private final Thread acceptor;

    private RendezvousServer(ServerSocket listener, RendezvousSettings settings, JobToken token) {
        this.listener = listener;
        this.token = token;
        this.gathering = new Gathering(settings);
        this.acceptor = Thread.ofPlatform().name("penstock-rendezvous").daemon().unstarted(this::accept);
    }

    /** Listens from now on. */
    public static RendezvousServer start(RendezvousSettings settings, JobToken token) {
        try {
            ServerSocket listener = new ServerSocket();
            listener.setReuseAddress(true);
            listener.bind(settings.address());
            RendezvousServer server = new RendezvousServer(listener, settings, token);
            server.acceptor.start();
            return server;
        } catch (IOException e) {
            throw new RendezvousException("no rendezvous at " + settings.address() + ": " + e, e);
        }
    }

    /** Where it listens, with the port that was chosen. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    /** Waits until all ranks have joined; throws {@link RendezvousException} with the missing ones when the time is over. */
    public Membership await() {
        return gathering.await();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                Thread thread = Thread.ofVirtual().unstarted(() -> serve(socket));
                connections.add(thread);
                thread.start();
            } catch (IOException e) {
                LOG.debug("rendezvous did not accept", e);
                LockSupport.parkNanos(RETRY_NS);
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            socket.setSoTimeout(REQUEST_LIMIT_MS);
            greet(socket);
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("rendezvous with {} broke: {}", socket.getRemoteSocketAddress(), e.toString());
        } finally {
            connections.remove(Thread.currentThread());
        }
    }

    private void greet(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
        byte[] serverNonce = new byte[Handshake.NONCE_BYTES];
        random.nextBytes(serverNonce);
        out.writeInt(Handshake.MAGIC);
        out.writeInt(Handshake.VERSION);
        out.write(serverNonce);
        out.flush();

        byte[] rankNonce = new byte[Handshake.NONCE_BYTES];
        in.readFully(rankNonce);
        byte[] block = Handshake.readBlock(in);
        byte[] proof = new byte[JobToken.PROOF_BYTES];
        in.readFully(proof);
        if (!token.isProof(proof, Handshake.RANK_ROLE, serverNonce, rankNonce, block)) {
            LOG.warn("rendezvous: wrong job token from {}", socket.getRemoteSocketAddress());
            Handshake.writeBlock(out, Handshake.encodeRefusal("wrong job token"));
            out.write(new byte[JobToken.PROOF_BYTES]);
            out.flush();
            return;
        }
        byte[] reply = answer(socket, Handshake.decodeRequest(block));
        Handshake.writeBlock(out, reply);
        out.write(token.prove(Handshake.SERVER_ROLE, rankNonce, serverNonce, reply));
        out.flush();
    }

    private byte[] answer(Socket socket, JoinRequest request) throws IOException {
        String refusal = gathering.admit(request);
        if (refusal != null) {
            LOG.warn("rendezvous: {}", refusal);
            return Handshake.encodeRefusal(refusal);
        }
        LOG.info("rank {} joined from {}", request.member().rank(), socket.getRemoteSocketAddress());
        try {
            return Handshake.encode(gathering.await());
        } catch (RendezvousException e) {
            return Handshake.encodeRefusal(String.valueOf(e.getMessage()));
        }
    }

    /** Stops listening; ranks that still wait are told so. */
    @Override
    public void close() {
        gathering.abandon("the rendezvous was closed before all had joined");
        try {
            listener.close();
            acceptor.join(1_000);
            for (Thread connection : connections) {
                connection.join(1_000);
            }
        } catch (IOException e) {
            LOG.debug("closing the rendezvous", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
