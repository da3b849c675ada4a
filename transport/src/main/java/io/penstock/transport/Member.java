package io.penstock.transport;

import java.util.Objects;

/**
 * Where a rank lives and how it is reached.
 *
 * @param host its name for people
 * @param machine see {@link Machine#identity}; ranks with the same one can look up each other's processes
 * @param pid its process on that machine
 * @param udpEndpoint {@code address:port} at which it receives over Aeron UDP, empty if it does not
 * @param driverDirectory the directory of the media driver it is connected to
 * @param payload whatever the engine wants every rank to know of this one
 */
public record Member(
        int rank, String host, String machine, long pid, String udpEndpoint, String driverDirectory, String payload) {
    public Member {
        Objects.requireNonNull(host);
        Objects.requireNonNull(machine);
        Objects.requireNonNull(udpEndpoint);
        Objects.requireNonNull(driverDirectory);
        Objects.requireNonNull(payload);
        if (rank < 0) {
            throw new IllegalArgumentException("rank=" + rank + " < 0");
        }
    }

    /** A rank in this process. */
    public static Member local(int rank, String udpEndpoint, String driverDirectory, String payload) {
        return new Member(
                rank,
                Machine.hostName(),
                Machine.identity(),
                ProcessHandle.current().pid(),
                udpEndpoint,
                driverDirectory,
                payload);
    }
}
