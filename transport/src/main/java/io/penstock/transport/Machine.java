package io.penstock.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this machine says of itself and its processes; reads {@code /proc}. */
public final class Machine {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path PID_NAMESPACE = Path.of("/proc/self/ns/pid");

    private Machine() {}

    /** Equal for processes that see each other's process numbers: one boot of one kernel, one namespace of process numbers. */
    public static String identity() {
        try {
            return Files.readString(BOOT_ID).strip() + "/" + Files.readSymbolicLink(PID_NAMESPACE);
        } catch (IOException e) {
            // No /proc: nobody is on the same machine, so processes are never looked up.
            return "unknown/" + ProcessHandle.current().pid() + "/" + System.nanoTime();
        }
    }

    public static String hostName() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return InetAddress.getLoopbackAddress().getHostName();
        }
    }

    /** A free {@code address:port} for {@link Member#udpEndpoint}, free at least at this moment. */
    public static String freeUdpEndpoint(InetAddress address) {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address, 0))) {
            String host = address.getHostAddress();
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free UDP port at " + address, e);
        }
    }

    /** Whether a process of this machine is gone, or only waits to be buried by its parent. */
    static boolean isDead(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
            // pid (name) state ...; the name may hold anything, even parentheses.
            char state = stat.charAt(stat.lastIndexOf(')') + 2);
            return state == 'Z' || state == 'X';
        } catch (IOException e) {
            return !Files.exists(Path.of("/proc/" + pid));
        }
    }
}
