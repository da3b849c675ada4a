package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SlabTest {
    private static final StreamFile.Stream STREAM = new StreamFile.Stream(77, 3, 0, 1, 2);
    private static final Tag TAG = new Tag(Kind.GRADIENT, 1);
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);

    @Test
    void shouldHoldTheSenderBackUntilSlotsAreFree(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        try (Arena arena = Arena.ofConfined();
                Slab sender = Slab.create(files, STREAM, 3, 128);
                Slab receiver = Slab.open(files, STREAM)) {
            MemorySegment piece = arena.allocate(128);
            for (int slot = 0; slot < 100; slot++) {
                assertTrue(sender.hasRoom(), "no room for slot " + slot);
                piece.fill((byte) slot);
                sender.put(piece, 0, 128);
                if (slot >= 2) {
                    assertFalse(sender.hasRoom(), "room beside three full slots");
                    boolean asked = slot % 2 == 0;
                    if (asked) {
                        assertFalse(sender.askForRoom());
                    }
                    receiver.read(piece, 0, 128);
                    assertEquals((byte) (slot - 2), piece.get(ValueLayout.JAVA_BYTE, 127));
                    assertEquals(asked, receiver.release());
                }
            }
        }
    }

    @Test
    void shouldBePrivateAndNamelessOnceShared(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        try (Slab sender = Slab.create(files, STREAM, 2, 64)) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files.slab(STREAM))));
            assertEquals(Slab.bytes(2, 64), Files.size(files.slab(STREAM)));
            try (Slab receiver = Slab.open(files, STREAM)) {
                assertEquals(sender.slotBytes(), receiver.slotBytes());
                assertFalse(Files.exists(files.slab(STREAM)));
            }
        }
    }

    @Test
    void shouldRefuseASlabOfAnotherRun(@TempDir Path directory) throws Exception {
        SharedFiles files = new SharedFiles(directory);
        StreamFile.Stream stale = new StreamFile.Stream(77, 2, 0, 1, 2);
        try (Slab sender = Slab.create(files, stale, 2, 64)) {
            assertTrue(sender.hasRoom());
            Files.move(files.slab(stale), files.slab(STREAM));
            IOException e = assertThrows(IOException.class, () -> Slab.open(files, STREAM));
            assertTrue(String.valueOf(e.getMessage()).contains("epoch=2"), e.getMessage());
        }
        Files.writeString(files.slab(STREAM), "x".repeat(5000));
        assertThrows(IOException.class, () -> Slab.open(files, STREAM));
    }

    /** Sizes around those of slots and of the whole slab, both ways at once, plain messages in between, over a slab of few and small slots. */
    @ParameterizedTest
    @CsvSource({"2,64,1,false", "3,4096,1000,true", "8,262144,65536,false", "8,262144,65536,true", "0,64,1,false"})
    void shouldMoveExactBytes(int slots, int slotBytes, int fromBytes, boolean checksum) throws Exception {
        AeronSettings aeron = World.APART.withIpc(World.APART.ipc().withSlab(slots, slotBytes, fromBytes));
        long whole = Math.max(1, slots) * (long) slotBytes;
        long[] sizes = {0, 1, slotBytes - 1, slotBytes, slotBytes + 1L, whole - 1, whole, whole + 1, 3 * whole + 7, 5};
        try (World world = new World(2, aeron, SETTINGS.withChecksum(checksum));
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                int peer = 1 - endpoint.rank();
                List<Transfer> transfers = new ArrayList<>();
                List<MemorySegment> received = new ArrayList<>();
                for (int i = 0; i < sizes.length; i++) {
                    MemorySegment to = arena.allocate(sizes[i] + 1);
                    received.add(to);
                    transfers.add(endpoint.receive(peer, TAG, 0, i, to, 1, sizes[i]));
                    MemorySegment from = arena.allocate(sizes[i] + 3);
                    MemorySegment.copy(bytes(endpoint.rank(), i, sizes[i]), 0, from, 3, sizes[i]);
                    transfers.add(endpoint.send(peer, TAG, 0, i, from, 3, sizes[i]));
                }
                for (Transfer transfer : transfers) {
                    endpoint.await(transfer);
                }
                for (int i = 0; i < sizes.length; i++) {
                    byte[] found = received.get(i).asSlice(1).toArray(ValueLayout.JAVA_BYTE);
                    byte[] expected = bytes(peer, i, sizes[i]).toArray(ValueLayout.JAVA_BYTE);
                    assertArrayEquals(expected, found, "message " + i + " of " + sizes[i] + " bytes");
                }
            });
            if (slots == 2) {
                long ns = world.endpoint(0).counters().of(1, Kind.GRADIENT, Counter.BACK_PRESSURE_NS);
                assertTrue(ns > 0, "a slab of two small slots holds the sender back");
                assertEquals(0, world.endpoint(0).counters().of(1, Kind.ACTIVATION, Counter.BYTES_SENT));
            }
        }
    }

    private static MemorySegment bytes(int rank, int message, long size) {
        byte[] bytes = new byte[Math.toIntExact(size)];
        new Random(rank * 1000L + message).nextBytes(bytes);
        return MemorySegment.ofArray(bytes);
    }

    @Test
    void shouldGoThroughTheLogWhereThereIsNoSlab() throws Exception {
        AeronSettings aeron = AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
        try (DriverHost driver = World.startDriver(2)) {
            // A file where the folder of slabs and bells should be.
            Files.writeString(driver.directory().resolve("penstock"), "in the way");
            Membership membership = World.membership(2, driver);
            try (Endpoint sender = AeronEndpoint.open(membership, 0, aeron, SETTINGS);
                    Endpoint receiver = AeronEndpoint.open(membership, 1, aeron, SETTINGS);
                    Arena arena = Arena.ofShared()) {
                MemorySegment from = arena.allocate(3 << 20);
                MemorySegment to = arena.allocate(3 << 20);
                from.fill((byte) 7);
                Transfer receive = receiver.receive(0, TAG, 0, 0, to);
                sender.await(sender.send(1, TAG, 0, 0, from));
                receiver.await(receive);
                assertEquals(-1, from.mismatch(to));
                sender.announceDone();
                receiver.announceDone();
            }
        }
    }

    @Test
    void shouldLeaveNoFilesBehind() throws Exception {
        AeronSettings aeron = World.APART;
        try (DriverHost driver = World.startDriver(2);
                Arena arena = Arena.ofShared()) {
            Membership membership = World.membership(2, driver);
            MemorySegment memory = arena.allocate(2 << 20);
            try (Endpoint sender = AeronEndpoint.open(membership, 0, aeron, SETTINGS);
                    Endpoint receiver = AeronEndpoint.open(membership, 1, aeron, SETTINGS)) {
                Transfer receive = receiver.receive(0, TAG, 0, 0, memory, 0, 1 << 20);
                sender.await(sender.send(1, TAG, 0, 0, memory, 1 << 20, 1 << 20));
                receiver.await(receive);
                sender.announceDone();
                receiver.announceDone();
            }
            try (Stream<Path> left = Files.list(driver.directory().resolve("penstock"))) {
                assertEquals(List.of(), left.toList());
            }
        }
    }
}
