package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.ext.DebugReceiveChannelEndpoint;
import io.aeron.driver.ext.LossGenerator;
import io.aeron.driver.ext.RandomLossGenerator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Packets of data and of control lost on purpose, by Aeron's own generators with a seed. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class LossTest {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(60, TimeUnit.SECONDS);
    private static final int BYTES = 6 << 20;
    private static final int MESSAGES = 40;

    private static MediaDriver driver(Path directory, double rate, long seed) {
        LossGenerator data = new RandomLossGenerator(rate, seed);
        LossGenerator control = new RandomLossGenerator(rate, seed + 1);
        return MediaDriver.launchEmbedded(new MediaDriver.Context()
                .aeronDirectoryName(directory.resolve("aeron").toString())
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(new Patience())
                .receiveChannelEndpointSupplier((channel, dispatcher, status, context) ->
                        new DebugReceiveChannelEndpoint(channel, dispatcher, status, context, data, control))
                .dirDeleteOnShutdown(true));
    }

    @ParameterizedTest
    @CsvSource({"0.01", "0.05", "0.10"})
    void shouldDeliverExactBytesWhateverIsLost(double rate, @TempDir Path directory) throws Exception {
        AeronSettings aeron = AeronSettings.DEFAULT
                .withPath(AeronSettings.Path.UDP)
                .withUdp(new UdpSettings(1 << 20, 8192, 256 << 10));
        long seed = 4711;
        try (MediaDriver driver = driver(directory, rate, seed);
                Arena arena = Arena.ofShared()) {
            List<Member> members = new ArrayList<>();
            for (int rank = 0; rank < 2; rank++) {
                String udp = Machine.freeUdpEndpoint(InetAddress.getLoopbackAddress());
                members.add(Member.local(rank, udp, driver.aeronDirectoryName(), ""));
            }
            Membership membership = new Membership(seed, 1, members);
            byte[] bytes = new byte[BYTES];
            new Random(seed).nextBytes(bytes);
            MemorySegment source = arena.allocate(BYTES).copyFrom(MemorySegment.ofArray(bytes));
            MemorySegment destination = arena.allocate(BYTES);
            try (Endpoint sender = AeronEndpoint.open(membership, 0, aeron, SETTINGS);
                    Endpoint receiver = AeronEndpoint.open(membership, 1, aeron, SETTINGS)) {
                List<Transfer> transfers = new ArrayList<>();
                long slice = BYTES / MESSAGES;
                for (int i = 0; i < MESSAGES; i++) {
                    transfers.add(receiver.receive(0, TAG, 1, i, destination, i * slice, slice));
                }
                for (int i = 0; i < MESSAGES; i++) {
                    sender.await(sender.send(1, TAG, 1, i, source, i * slice, slice));
                }
                for (Transfer transfer : transfers) {
                    receiver.await(transfer);
                }
                assertEquals(
                        -1,
                        MemorySegment.mismatch(source, 0, slice * MESSAGES, destination, 0, slice * MESSAGES),
                        "seed " + seed);
                awaitLossCount(receiver);
                assertEquals(0, receiver.counters().of(0, Kind.GRADIENT, Counter.BYTES_LOST));
                sender.announceDone();
                receiver.announceDone();
            }
        }
    }

    /** The counter follows a heartbeat later. */
    private static void awaitLossCount(Endpoint receiver) throws InterruptedException {
        for (int i = 0; i < 100 && receiver.counters().of(0, Kind.ACTIVATION, Counter.BYTES_LOST) == 0; i++) {
            Thread.sleep(20);
        }
        long lost = receiver.counters().of(0, Kind.ACTIVATION, Counter.BYTES_LOST);
        assertTrue(lost > 0 && lost < BYTES * 4L, lost + " bytes lost");
    }
}
