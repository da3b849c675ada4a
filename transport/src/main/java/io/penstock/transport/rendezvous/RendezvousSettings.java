package io.penstock.transport.rendezvous;

import java.net.InetSocketAddress;
import java.util.Objects;

/**
 * What the gathering rank or launcher expects.
 *
 * @param address where to listen; loopback unless the user asked for another, port 0 for any free one
 * @param job the name of the run
 * @param version of Penstock
 * @param worldSize how many ranks must come
 * @param epoch of the membership that results
 * @param configuration the resolved configuration as text
 * @param limitNs how long to wait for all of them
 */
public record RendezvousSettings(
        InetSocketAddress address,
        String job,
        String version,
        int worldSize,
        int epoch,
        String configuration,
        long limitNs) {
    public RendezvousSettings {
        Objects.requireNonNull(address);
        Objects.requireNonNull(job);
        Objects.requireNonNull(version);
        Objects.requireNonNull(configuration);
        if (worldSize < 1 || limitNs < 1) {
            throw new IllegalArgumentException("worldSize=" + worldSize + ", limitNs=" + limitNs);
        }
    }
}
