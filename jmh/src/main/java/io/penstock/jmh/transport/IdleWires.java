package io.penstock.jmh.transport;

import io.penstock.transport.AeronEndpoint;
import io.penstock.transport.AeronSettings;
import io.penstock.transport.Endpoint;
import io.penstock.transport.EndpointSettings;
import io.penstock.transport.Machine;
import io.penstock.transport.Member;
import io.penstock.transport.Membership;
import io.penstock.transport.driver.DriverHost;
import io.penstock.transport.driver.DriverSettings;
import io.penstock.transport.driver.StreamBudget;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/** One endpoint in each of two processes, and nothing else that would cost time. */
record IdleWires(Endpoint endpoint, String path, Closeable rest) implements AutoCloseable {
    static IdleWires host(Class<?> childMain, String path, String seconds) throws Exception {
        AeronSettings aeron = AeronSettings.DEFAULT;
        long bytes = new StreamBudget(2, 2, false).bytes(aeron);
        DriverHost driver = DriverHost.start(
                new DriverSettings(DriverSettings.SHARED_MEMORY, "idle", bytes, aeron.udpWindowBytes()));
        String first = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
        String second = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
        List<String> command = Wires.javaCommand(childMain);
        command.addAll(List.of(seconds, path, driver.directory().toString(), first, second));
        Process child = new ProcessBuilder(command).inheritIO().start();
        Endpoint endpoint = open(0, path, driver.directory().toString(), first, second);
        return new IdleWires(endpoint, path, () -> {
            child.onExit().join();
            driver.close();
        });
    }

    static IdleWires join(String[] arguments) {
        Endpoint endpoint = open(1, arguments[1], arguments[2], arguments[3], arguments[4]);
        return new IdleWires(endpoint, arguments[1], () -> {});
    }

    private static Endpoint open(int rank, String path, String directory, String... udp) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            long pid = ProcessHandle.current().pid();
            members.add(new Member(i, "localhost", Machine.identity(), pid, udp[i], directory, ""));
        }
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.valueOf(path));
        return AeronEndpoint.open(new Membership(12, 1, members), rank, aeron, EndpointSettings.DEFAULT);
    }

    @Override
    public void close() throws IOException {
        endpoint.close();
        rest.close();
    }
}
