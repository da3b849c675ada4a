package io.penstock.transport.rendezvous;

import io.penstock.transport.Membership;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.SecureRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The rank's side of the rendezvous. */
public final class Rendezvous {
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private Rendezvous() {}

    /**
     * Joins the run and waits until all ranks have; tries again while nobody listens yet.
     *
     * @throws RendezvousException with the server's words if it refuses, or if the time is over
     */
    public static Membership join(InetSocketAddress address, JoinRequest request, JobToken token, long limitNs) {
        long deadlineNs = System.nanoTime() + limitNs;
        while (true) {
            boolean connected = false;
            try (Socket socket = new Socket()) {
                socket.connect(address, millisUntil(deadlineNs));
                connected = true;
                socket.setSoTimeout(millisUntil(deadlineNs));
                return join(socket, request, token);
            } catch (ConnectException | SocketTimeoutException e) {
                if (connected) {
                    throw outOfTime(request, "got no answer from the rendezvous at ", address, limitNs, e);
                }
                if (System.nanoTime() - deadlineNs >= 0) {
                    throw outOfTime(request, "found nobody listening at ", address, limitNs, e);
                }
                LockSupport.parkNanos(RETRY_NS);
            } catch (IOException e) {
                throw new RendezvousException(
                        "rank " + request.member().rank() + " lost the rendezvous at " + address + ": " + e, e);
            }
        }
    }

    private static RendezvousException outOfTime(
            JoinRequest request, String what, InetSocketAddress address, long limitNs, IOException e) {
        return new RendezvousException(
                "rank " + request.member().rank() + " " + what + address + " within "
                        + TimeUnit.NANOSECONDS.toMillis(limitNs) + " ms",
                e);
    }

    private static int millisUntil(long deadlineNs) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
        return (int) Math.clamp(left, 1L, (long) Integer.MAX_VALUE);
    }

    private static Membership join(Socket socket, JoinRequest request, JobToken token) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
        int magic = in.readInt();
        int version = in.readInt();
        if (magic != Handshake.MAGIC || version != Handshake.VERSION) {
            throw new RendezvousException("no rendezvous of this version at " + socket.getRemoteSocketAddress()
                    + ": magic " + Integer.toHexString(magic) + ", version " + version);
        }
        byte[] serverNonce = new byte[Handshake.NONCE_BYTES];
        in.readFully(serverNonce);
        byte[] rankNonce = new byte[Handshake.NONCE_BYTES];
        new SecureRandom().nextBytes(rankNonce);
        byte[] block = Handshake.encode(request);
        out.write(rankNonce);
        Handshake.writeBlock(out, block);
        out.write(token.prove(Handshake.RANK_ROLE, serverNonce, rankNonce, block));
        out.flush();

        byte[] reply = Handshake.readBlock(in);
        byte[] proof = new byte[JobToken.PROOF_BYTES];
        in.readFully(proof);
        if (!token.isProof(proof, Handshake.SERVER_ROLE, rankNonce, serverNonce, reply)) {
            throw new RendezvousException("rank " + request.member().rank() + " and the rendezvous at "
                    + socket.getRemoteSocketAddress() + " have different job tokens");
        }
        return Handshake.decodeReply(reply);
    }
}
