package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.transport.driver.DriverHost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Large messages from any memory, copied by both ends. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class CrossTest {
    private static final Tag TAG = new Tag(Kind.GRADIENT, 1);
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final AeronSettings IPC = AeronSettings.DEFAULT.withPath(AeronSettings.Path.IPC);
    private static final long SEED = 21;

    @BeforeEach
    void assumeCrossMemory() {
        assumeTrue(CrossMemory.isAvailable() && Futex.isAvailable(), "no cross-memory attach on this operating system");
        CrossEnd self = new CrossEnd();
        assumeTrue(self.reaches(self.own()), "the kernel does not permit process_vm_readv here");
    }

    private static MemorySegment random(Arena arena, long bytes, long seed) {
        byte[] content = new byte[Math.toIntExact(bytes)];
        new Random(seed).nextBytes(content);
        MemorySegment memory = arena.allocate(bytes, 1);
        memory.copyFrom(MemorySegment.ofArray(content));
        return memory;
    }

    /** Sizes around the first that goes so, around pieces, short ones between them, both ways at once, more than a board has entries. */
    @Test
    void shouldMoveEverySizeExactly() throws Exception {
        long[] sizes = {
            0, 1, 65_535, 65_536, 65_537, 5, 131_073, 1 << 20, 100, (1 << 20) + 1, (2 << 20) - 1, 3_500_001, 9 << 20
        };
        int rounds = 4;
        try (World world = new World(2, IPC, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                int self = endpoint.rank();
                List<Transfer> transfers = new ArrayList<>();
                List<MemorySegment> received = new ArrayList<>();
                for (int i = 0; i < rounds * sizes.length; i++) {
                    long size = sizes[i % sizes.length];
                    MemorySegment to = arena.allocate(size + 1);
                    received.add(to);
                    transfers.add(endpoint.receive(1 - self, TAG, 0, i, to, 1, size));
                    transfers.add(endpoint.send(
                            1 - self, TAG, 0, i, random(arena, size + 3, SEED + self * 1000L + i), 3, size));
                }
                for (Transfer transfer : transfers) {
                    endpoint.await(transfer);
                }
                for (int i = 0; i < rounds * sizes.length; i++) {
                    long size = sizes[i % sizes.length];
                    MemorySegment expected = random(arena, size + 3, SEED + (1 - self) * 1000L + i);
                    long found = MemorySegment.mismatch(received.get(i), 1, 1 + size, expected, 3, 3 + size);
                    assertEquals(-1, found, "message " + i + " of " + size + " bytes, seed " + SEED);
                }
            });
            String maps = Files.readString(Path.of("/proc/self/maps"));
            assertTrue(maps.contains("/penstock/board-"), "the board is mapped");
            assertFalse(maps.contains("/penstock/slab-"), "a slab was made too");
        }
    }

    /** A receiver that comes late finds all messages waiting; the sends are not done before. */
    @Test
    void shouldBeDoneOnlyWhenTheReceiverHasIt() throws Exception {
        int messages = CrossBoard.ENTRIES + 5;
        long bytes = 100_000;
        try (World world = new World(2, IPC, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment source = random(arena, bytes, SEED);
            List<Transfer> sends = new ArrayList<>();
            for (int i = 0; i < messages; i++) {
                sends.add(world.endpoint(0).send(1, TAG, 0, i, source));
            }
            Thread.sleep(50);
            for (Transfer send : sends) {
                assertFalse(world.endpoint(0).isDone(send));
            }
            MemorySegment destination = arena.allocate(bytes);
            for (int i = 0; i < messages; i++) {
                destination.fill((byte) 0);
                world.endpoint(1).await(world.endpoint(1).receive(0, TAG, 0, i, destination));
                assertEquals(-1, destination.mismatch(source), "message " + i);
                world.endpoint(0).await(sends.get(i));
            }
        }
    }

    @Test
    void shouldNameMemoryThatIsGone() throws Exception {
        long bytes = 32 << 20; // the allocator gives so much back to the kernel at once
        try (DriverHost driver = World.startDriver(2);
                Arena arena = Arena.ofShared()) {
            Membership membership = World.membership(2, driver);
            try (Endpoint sender = AeronEndpoint.open(membership, 0, IPC, SETTINGS);
                    Endpoint receiver = AeronEndpoint.open(membership, 1, IPC, SETTINGS)) {
                MemorySegment destination = arena.allocate(bytes);
                Transfer first = receiver.receive(0, TAG, 0, 0, destination, 0, 100_000);
                sender.await(sender.send(1, TAG, 0, 0, destination, 200_000, 100_000));
                receiver.await(first);
                try (Arena shortLived = Arena.ofShared()) {
                    MemorySegment source = shortLived.allocate(bytes);
                    source.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 1);
                    Transfer ignored = sender.send(1, TAG, 0, 1, source);
                }
                ProtocolException e = assertThrows(
                        ProtocolException.class, () -> receiver.await(receiver.receive(0, TAG, 0, 1, destination)));
                String message = String.valueOf(e.getMessage());
                assertTrue(message.contains("in the memory of rank 0: error 14 of process_vm_readv"), message);
            }
        }
    }

    private interface Body {
        void run(CrossSends sends, CrossBoard receiver, Bells bells) throws Exception;
    }

    /** The sending end of a stream from rank 0, which has made its offer, and the board as the receiver has it. */
    private static void withOffer(Body body) throws Exception {
        try (DriverHost driver = World.startDriver(2)) {
            Membership membership = World.membership(2, driver);
            AeronPaths paths = new AeronPaths(membership, 0, IPC);
            AgentContext context = World.context(membership, 0);
            StreamFile.Stream stream = new StreamFile.Stream(membership.job(), membership.epoch(), 0, 1, 1);
            try (CrossSends sends = new CrossSends(context, paths, stream)) {
                assertEquals(CrossSends.State.NEW, sends.state());
                assertTrue(sends.offer());
                assertEquals(CrossSends.State.OFFERED, sends.state());
                try (CrossBoard receiver = CrossBoard.open(paths.sharedFiles(), stream)) {
                    body.run(sends, receiver, new Bells(context, paths, 2));
                }
            }
        }
    }

    @Test
    void shouldGoThroughTheSlabWhereTheReceiverCannotReach() throws Exception {
        withOffer((sends, receiver, bells) -> {
            receiver.setAnswer(new CrossBoard.Reach(1, 2, 3), CrossBoard.REACHES_NOT);
            assertEquals(CrossSends.State.REFUSED, sends.state());
        });
    }

    /** The sender writes what the receiver leaves it: here all, or all but what cannot be written from outside. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldWriteThePiecesThatTheReceiverLeaves(boolean writable) throws Exception {
        long bytes = 3_500_001;
        long pieces = CrossBoard.pieces(bytes);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment source = random(arena, bytes, SEED);
            MemorySegment destination = arena.allocate(bytes);
            withOffer((sends, receiver, bells) -> {
                receiver.setAnswer(new CrossEnd().own(), CrossBoard.REACHES);
                assertEquals(CrossSends.State.OPEN, sends.state());
                Transfer transfer = new Transfer();
                transfer.post(true, 1, TAG, 0, 0, source, 0, bytes);
                sends.add(transfer);
                assertFalse(sends.help(bells), "nothing is open");
                receiver.open(0, writable ? destination.address() : 8);
                for (long piece = 0; piece < (writable ? pieces : 1); piece++) {
                    assertTrue(sends.help(bells), "piece " + piece);
                }
                assertFalse(sends.help(bells), "no piece is left for it");
                assertEquals(0, receiver.unwritten(0));
                assertEquals(writable ? -1 : 0, receiver.claimFront(0, pieces));
                assertEquals(writable ? -1 : 0, destination.mismatch(source));
                assertEquals(0, sends.endDone());
                receiver.setDone(1);
                assertEquals(1, sends.endDone());
                assertEquals(Transfer.State.DONE, transfer.state);
            });
        }
    }
}
