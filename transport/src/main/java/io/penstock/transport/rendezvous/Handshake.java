package io.penstock.transport.rendezvous;

import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of the rendezvous; big endian, blocks and texts after their length in 4 bytes.
 *
 * <pre>
 *   server -> rank    magic "PNSJ" | version 1 | server nonce (32)
 *   rank -> server    rank nonce (32) | request block | HMAC("rank", server nonce, rank nonce, request)
 *   server -> rank    reply block | HMAC("server", rank nonce, server nonce, reply)
 *
 *   request           job | version | world size (4) | configuration | member
 *   reply             0 (1) | refusal            or   1 (1) | job number (8) | epoch (4) | ranks (4) | members ...
 *   member            rank (4) | host | machine | pid (8) | UDP endpoint | driver directory | payload
 * </pre>
 *
 * A rank without the token gets a refusal without proof. The reply comes when all ranks are there, or the time is over.
 */
final class Handshake {
    static final int MAGIC = 0x504E534A;
    static final int VERSION = 1;
    static final int NONCE_BYTES = 32;
    static final String RANK_ROLE = "rank";
    static final String SERVER_ROLE = "server";

    private static final int MAX_BLOCK_BYTES = 4 << 20;

    private Handshake() {}

    static byte[] readBlock(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > MAX_BLOCK_BYTES) {
            throw new IOException("a block of " + length + " bytes, at most " + MAX_BLOCK_BYTES + " are taken");
        }
        byte[] block = in.readNBytes(length);
        if (block.length < length) {
            throw new IOException("the connection ended after " + block.length + " of " + length + " bytes");
        }
        return block;
    }

    static void writeBlock(DataOutputStream out, byte[] block) throws IOException {
        out.writeInt(block.length);
        out.write(block);
    }

    static byte[] encode(JoinRequest request) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        writeText(out, request.job());
        writeText(out, request.version());
        out.writeInt(request.worldSize());
        writeText(out, request.configuration());
        writeMember(out, request.member());
        return bytes.toByteArray();
    }

    static JoinRequest decodeRequest(byte[] block) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(block));
        String job = readText(in);
        String version = readText(in);
        int worldSize = in.readInt();
        String configuration = readText(in);
        return new JoinRequest(job, version, worldSize, configuration, readMember(in));
    }

    static byte[] encodeRefusal(String reason) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeByte(0);
        writeText(out, reason);
        return bytes.toByteArray();
    }

    static byte[] encode(Membership membership) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeByte(1);
        out.writeLong(membership.job());
        out.writeInt(membership.epoch());
        out.writeInt(membership.worldSize());
        for (Member member : membership.members()) {
            writeMember(out, member);
        }
        return bytes.toByteArray();
    }

    /** Throws the refusal if it is one. */
    static Membership decodeReply(byte[] block) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(block));
        if (in.readByte() == 0) {
            throw new RendezvousException(readText(in));
        }
        long job = in.readLong();
        int epoch = in.readInt();
        int worldSize = in.readInt();
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < worldSize; rank++) {
            members.add(readMember(in));
        }
        return new Membership(job, epoch, members);
    }

    private static void writeMember(DataOutputStream out, Member member) throws IOException {
        out.writeInt(member.rank());
        writeText(out, member.host());
        writeText(out, member.machine());
        out.writeLong(member.pid());
        writeText(out, member.udpEndpoint());
        writeText(out, member.driverDirectory());
        writeText(out, member.payload());
    }

    private static Member readMember(DataInputStream in) throws IOException {
        int rank = in.readInt();
        String host = readText(in);
        String machine = readText(in);
        long pid = in.readLong();
        String udpEndpoint = readText(in);
        String driverDirectory = readText(in);
        return new Member(rank, host, machine, pid, udpEndpoint, driverDirectory, readText(in));
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        writeBlock(out, text.getBytes(StandardCharsets.UTF_8));
    }

    private static String readText(DataInputStream in) throws IOException {
        return new String(readBlock(in), StandardCharsets.UTF_8);
    }
}
