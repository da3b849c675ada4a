package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.transport.driver.DriverHost;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Messages that lie in memory which the receiver can read: copied once, and only when the receive is there. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SharedMemoryTest {
    private static final Tag TAG = new Tag(Kind.GRADIENT, 1);
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final long MAX_BYTES = 17 << 20;
    private static final long SEED = 12;

    private static void fill(MemorySegment memory) {
        byte[] bytes = new byte[(int) memory.byteSize()];
        new Random(SEED).nextBytes(bytes);
        memory.copyFrom(MemorySegment.ofArray(bytes));
    }

    /** Sizes around the length from which it is used, around a piece, and of several pieces, at odd offsets. */
    @ParameterizedTest
    @CsvSource({"MEMORY,false", "IPC,false", "IPC_APART,false", "IPC,true", "UDP,false"})
    void shouldMoveEverySizeExactly(World.Path path, boolean checksum) throws Exception {
        long[] sizes = {0, 1, 16383, 16384, 16385, 100_000, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, MAX_BYTES - 8};
        try (World world = new World(path, 2, SETTINGS.withChecksum(checksum));
                Arena arena = Arena.ofShared()) {
            MemorySegment source = World.readable(world.endpoint(0), MAX_BYTES, arena);
            assertEquals(0, source.address() % 64);
            fill(source);
            world.run(endpoint -> {
                MemorySegment destination = arena.allocate(MAX_BYTES);
                for (int i = 0; i < sizes.length; i++) {
                    if (endpoint.rank() == 0) {
                        endpoint.await(endpoint.send(1, TAG, 0, i, source, i % 8, sizes[i]));
                    } else {
                        endpoint.await(endpoint.receive(0, TAG, 0, i, destination, 3, sizes[i]));
                        long found =
                                MemorySegment.mismatch(source, i % 8, i % 8 + sizes[i], destination, 3, 3 + sizes[i]);
                        assertEquals(-1, found, sizes[i] + " bytes, seed " + SEED);
                    }
                }
            });
        }
    }

    /** Long and short ones, from shared and private memory, all of one lane and all in flight at once. */
    @ParameterizedTest
    @EnumSource(
            value = World.Path.class,
            names = {"MEMORY", "IPC", "IPC_APART"})
    void shouldKeepOrderAmongAllSources(World.Path path) throws Exception {
        int messages = 60;
        long slot = 200_000;
        try (World world = new World(path, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment[] sources = {
                World.readable(world.endpoint(0), slot * messages, arena),
                arena.allocate(slot * messages),
                World.readable(world.endpoint(0), slot * messages, arena)
            };
            for (MemorySegment source : sources) {
                fill(source);
            }
            MemorySegment destination = arena.allocate(slot * messages);
            world.run(endpoint -> {
                Transfer[] transfers = new Transfer[messages];
                for (int i = 0; i < messages; i++) {
                    long length = i % 4 == 0 ? 1000 : slot - i;
                    transfers[i] = endpoint.rank() == 0
                            ? endpoint.send(1, TAG, 0, i, sources[i % 3], i * slot, length)
                            : endpoint.receive(0, TAG, 0, i, destination, i * slot, length);
                }
                for (Transfer transfer : transfers) {
                    endpoint.await(transfer);
                }
            });
            for (int i = 0; i < messages; i++) {
                long from = i * slot;
                long to = from + (i % 4 == 0 ? 1000 : slot - i);
                assertEquals(
                        -1, MemorySegment.mismatch(sources[i % 3], from, to, destination, from, to), "message " + i);
            }
        }
    }

    @Test
    void shouldKeepTheSourceUntilItIsCopied() throws Exception {
        try (World world = new World(World.Path.IPC_APART, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment source =
                    world.endpoint(0).allocate(1 << 20).orElseThrow().fill((byte) 7);
            MemorySegment destination = arena.allocate(1 << 20);
            world.run(endpoint -> {
                if (endpoint.rank() == 0) {
                    Transfer send = endpoint.send(1, TAG, 0, 0, source);
                    Thread.sleep(300);
                    assertFalse(endpoint.isDone(send), "done before anybody could copy it");
                    endpoint.await(send);
                    source.fill((byte) 8);
                } else {
                    Thread.sleep(500);
                    endpoint.await(endpoint.receive(0, TAG, 0, 0, destination));
                    assertEquals(7, destination.get(ValueLayout.JAVA_BYTE, (1 << 20) - 1));
                }
            });
        }
    }

    @Test
    void shouldNameAReceiverThatLeavesWithoutTaking() throws Exception {
        try (World world = new World(World.Path.IPC_APART, 2, SETTINGS)) {
            MemorySegment source = world.endpoint(0).allocate(1 << 20).orElseThrow();
            Transfer send = world.endpoint(0).send(1, TAG, 0, 0, source);
            world.endpoint(1).announceDone();
            PeerLostException lost = assertThrows(
                    PeerLostException.class, () -> world.endpoint(0).await(send));
            assertEquals(1, lost.rank(), lost.getMessage());
            assertTrue(String.valueOf(lost.getMessage()).contains("announced that it was done"), lost.getMessage());
        }
    }

    @Test
    void shouldBePrivateAndLeaveNoFilesBehind() throws Exception {
        try (DriverHost driver = World.startDriver(2)) {
            Membership membership = World.membership(2, driver);
            Path directory =
                    SharedFiles.in(membership.member(0).driverDirectory()).directory();
            try (Endpoint endpoint =
                    AeronEndpoint.open(membership, 0, AeronSettings.DEFAULT, EndpointSettings.DEFAULT)) {
                MemorySegment memory = endpoint.allocate(10_000).orElseThrow();
                assertEquals(10_000, memory.byteSize());
                List<Path> files = files(directory, "memory-");
                assertEquals(1, files.size());
                assertEquals(
                        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files.getFirst())));
                endpoint.announceDone();
            }
            assertEquals(List.of(), files(directory, ""));
        }
    }

    private static List<Path> files(Path directory, String prefix) throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return list.filter(file -> file.getFileName().toString().startsWith(prefix))
                    .toList();
        }
    }

    @Test
    void shouldRefuseWhatIsNotInTheBlock() throws Exception {
        try (DriverHost driver = World.startDriver(2)) {
            Membership membership = World.membership(2, driver);
            AeronPaths paths = new AeronPaths(membership, 0, AeronSettings.DEFAULT);
            AgentContext context = new AgentContext(
                    0, membership.job(), 1, SETTINGS, new EndpointCounters(2), new FailureBoard(0), null);
            SharedMemory own = new SharedMemory(context, paths.sharedFiles(), 2, 0);
            MemorySegment block = own.allocate(1000).orElseThrow();
            assertEquals(0, own.blockOf(block.address() + 10, 990));
            assertEquals(SharedMemory.NOT_SHARED, own.blockOf(block.address() + 10, 991));
            assertEquals(SharedMemory.NOT_SHARED, own.blockOf(block.address() - 1, 10));
            assertEquals(1000, own.ofPeer(0, 0).byteSize());
            assertThrows(IOException.class, () -> own.ofPeer(0, 1));
            assertThrows(IOException.class, () -> own.ofPeer(0, -1));
            own.close();
        }
    }

    @Test
    void shouldGiveNoneWhereNobodyCouldReadIt() throws Exception {
        try (World world = new World(World.Path.UDP, 2, SETTINGS)) {
            assertEquals(Optional.empty(), world.endpoint(0).allocate(1 << 20));
        }
        try (World world = new World(World.Path.IPC, 2, SETTINGS.withChecksum(true))) {
            assertEquals(Optional.empty(), world.endpoint(0).allocate(1 << 20));
        }
    }

    @Test
    void shouldLeaveRoomForTheStreams() throws Exception {
        try (DriverHost driver = World.startDriver(2)) {
            Membership membership = World.membership(2, driver);
            AeronPaths paths = new AeronPaths(membership, 0, AeronSettings.DEFAULT);
            AgentContext context = new AgentContext(
                    0, membership.job(), 1, SETTINGS, new EndpointCounters(2), new FailureBoard(0), null);
            SharedFiles files = paths.sharedFiles();
            SharedMemory own = new SharedMemory(context, files, 2, files.usableBytes() - (4 << 20));
            assertTrue(own.allocate(4096).isPresent());
            assertEquals(Optional.empty(), own.allocate(8 << 20));
            assertEquals(1, files(files.directory(), "memory-").size());
            own.close();
        }
    }

    /** Two threads share an endpoint, each in a lane of its own; whoever has the turn moves the bytes of both. */
    @ParameterizedTest
    @EnumSource(World.Path.class)
    void shouldServeSeveralWaitingThreads(World.Path path) throws Exception {
        int rounds = 2_000;
        try (World world = new World(path, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                Thread other = Thread.ofPlatform().start(() -> pingPong(endpoint, arena, Kind.ACTIVATION, rounds));
                pingPong(endpoint, arena, Kind.GRADIENT, rounds);
                other.join();
            });
            assertEquals(2L * rounds, world.endpoint(0).counters().total(Counter.MESSAGES_RECEIVED));
        }
    }

    private static void pingPong(Endpoint endpoint, Arena arena, Kind kind, int rounds) {
        Tag tag = new Tag(kind, 0);
        int peer = 1 - endpoint.rank();
        MemorySegment memory = arena.allocate(100_000);
        for (int i = 0; i < rounds; i++) {
            long length = i % 10 == 0 ? 100_000 : 100;
            if (endpoint.rank() == 0) {
                endpoint.await(endpoint.send(peer, tag, i, 0, memory, 0, length));
            }
            endpoint.await(endpoint.receive(peer, tag, i, 0, memory, 0, length));
            if (endpoint.rank() == 1) {
                endpoint.await(endpoint.send(peer, tag, i, 0, memory, 0, length));
            }
        }
    }
}
