package io.penstock.jmh.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Two network namespaces with a cable between them, as two hosts on one switch; needs root and {@code ip}. */
final class Namespaces implements AutoCloseable {
    private static final String NETWORK = "10.214.78.";

    private final long id = ProcessHandle.current().pid();

    private Namespaces() {}

    /**
     * With the largest packet of the cable.
     *
     * @throws IOException if it is not allowed here, or there is no {@code ip}
     */
    static Namespaces create(int mtu) throws IOException, InterruptedException {
        Namespaces made = new Namespaces();
        try {
            made.connect(mtu);
            return made;
        } catch (IOException e) {
            made.close();
            throw e;
        }
    }

    private void connect(int mtu) throws IOException, InterruptedException {
        ip("netns", "add", name(0));
        ip("netns", "add", name(1));
        ip("link", "add", "cable", "netns", name(0), "type", "veth", "peer", "name", "cable", "netns", name(1));
        for (int rank = 0; rank < 2; rank++) {
            ip("-n", name(rank), "addr", "add", address(rank) + "/24", "dev", "cable");
            ip("-n", name(rank), "link", "set", "cable", "mtu", Integer.toString(mtu), "up");
            ip("-n", name(rank), "link", "set", "lo", "up");
        }
    }

    private String name(int rank) {
        return "penstock-bench-" + id + "-" + rank;
    }

    String address(int rank) {
        return NETWORK + (rank + 1);
    }

    /** What a command begins with that runs in the namespace of a rank. */
    List<String> prefix(int rank) {
        return List.of("ip", "netns", "exec", name(rank));
    }

    private static void ip(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder("ip").redirectErrorStream(true);
        builder.command().addAll(List.of(arguments));
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", builder.command()) + ": " + output);
        }
    }

    @Override
    public void close() {
        for (int rank = 0; rank < 2; rank++) {
            try {
                ip("netns", "del", name(rank));
            } catch (IOException e) {
                System.err.println("a namespace stays, or never was: " + e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
