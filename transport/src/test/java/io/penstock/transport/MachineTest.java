package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

final class MachineTest {
    @Test
    void shouldChooseAPortThatTheKernelGivesToNobodyElse() {
        int ephemeral = Machine.firstEphemeralPort();
        assumeTrue(ephemeral > Machine.LOWEST_PORT, "the kernel gives ports from " + ephemeral);
        for (int i = 0; i < 200; i++) {
            String endpoint = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
            int port = Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
            assertTrue(port >= Machine.LOWEST_PORT && port < ephemeral, endpoint);
        }
    }

    /** 192.0.2.0/24 is for documentation and nobody's. */
    @Test
    void shouldRefuseAnAddressOfAnotherMachine() throws UnknownHostException {
        InetAddress elsewhere = InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 1});
        assertThrows(UncheckedIOException.class, () -> Machine.freeUdpEndpoint(elsewhere));
    }
}
