package io.penstock.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;

/** What this machine says of itself and its processes; reads {@code /proc}. */
public final class Machine {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path PID_NAMESPACE = Path.of("/proc/self/ns/pid");

    /** "32768 60999" */
    private static final Path EPHEMERAL_PORTS = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

    /** Most services with a port of their own are below. */
    static final int LOWEST_PORT = 10_240;

    private static final int TRIES = 64;

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

    /**
     * A free {@code address:port} for {@link Member#udpEndpoint}, free at least at this moment. Its port is none of those that the kernel gives to sockets which ask for no port in
     * particular, as all that send do: one of them could take it before the endpoint is opened.
     */
    public static String freeUdpEndpoint(InetAddress address) {
        int end = firstEphemeralPort();
        for (int i = 0; i < TRIES && end > LOWEST_PORT; i++) {
            try {
                return bind(address, ThreadLocalRandom.current().nextInt(LOWEST_PORT, end));
            } catch (IOException e) {
                // taken, or no address of this machine, which the last try reports
            }
        }
        try {
            return bind(address, 0);
        } catch (IOException e) {
            throw new UncheckedIOException("no free UDP port at " + address, e);
        }
    }

    private static String bind(InetAddress address, int port) throws IOException {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(address, port))) {
            String host = address.getHostAddress();
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + socket.getLocalPort();
        }
    }

    /** 0 where the kernel does not say. */
    static int firstEphemeralPort() {
        // by one read: the kernel gives nothing to a second one, and Files.readString begins with a single byte
        try (BufferedReader reader = Files.newBufferedReader(EPHEMERAL_PORTS)) {
            String line = reader.readLine();
            return line == null ? 0 : Integer.parseInt(line.split("\\s+", 2)[0]);
        } catch (IOException | NumberFormatException e) {
            return 0;
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
