package io.penstock.engine.launch;

import io.penstock.engine.config.Config;
import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.rendezvous.JobToken;
import io.penstock.transport.rendezvous.JoinRequest;
import io.penstock.transport.rendezvous.Rendezvous;
import io.penstock.transport.rendezvous.RendezvousServer;
import io.penstock.transport.rendezvous.RendezvousSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** The way of a rank's process into a run: one side gathers, every rank joins and opens its endpoint. */
final class Joining {
    static final String VERSION = version();
    private static final int FIRST_EPOCH = 1;

    private Joining() {}

    private static String version() {
        String version = Joining.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    static RendezvousServer gather(Job job, InetSocketAddress address, JobToken token) {
        Config config = job.config();
        return RendezvousServer.start(
                new RendezvousSettings(
                        address,
                        job.name(),
                        VERSION,
                        job.ranks(),
                        FIRST_EPOCH,
                        config.toYaml(),
                        config.cluster().joinTimeoutNs()),
                token);
    }

    /** {@code bind}: the address at which this rank receives over UDP. */
    static Endpoint join(
            Job job, int rank, InetSocketAddress rendezvous, InetAddress bind, String driverDirectory, JobToken token) {
        Config config = job.config();
        Member self = Member.local(rank, Machine.freeUdpEndpoint(bind), driverDirectory, "");
        Membership membership = Rendezvous.join(
                rendezvous,
                new JoinRequest(job.name(), VERSION, job.ranks(), config.toYaml(), self),
                token,
                config.cluster().joinTimeoutNs());
        return AeronEndpoint.open(membership, rank, Launcher.aeronSettings(config), Launcher.endpointSettings(config));
    }

    static InetAddress address(String host) {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new EnvironmentException("unknown host '" + host + "' (MASTER_ADDR or cluster.master.address)");
        }
    }

    /** The address of this machine that reaches {@code master}: loopback for a loopback master. */
    static InetAddress towards(InetSocketAddress master) {
        if (master.getAddress().isLoopbackAddress()) {
            return InetAddress.getLoopbackAddress();
        }
        // A datagram socket's connect sends nothing, it only asks the routing table.
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(master);
            return socket.getLocalAddress();
        } catch (IOException e) {
            throw new UncheckedIOException("no route to " + master, e);
        }
    }
}
