package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What every endpoint does, on every path. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class EndpointContractTest {
    private static final Tag ACTIVATION = new Tag(Kind.ACTIVATION, 0);
    private static final Tag GRADIENT = new Tag(Kind.GRADIENT, 0);
    private static final Tag TIED = new Tag(Kind.TIED_GRADIENT, 0);
    private static final long[] SIZES = {0, 1, 7, 1408, (64 << 10) + 1, (5 << 20) + 3, 64 << 20};

    private static World world(World.Path path) {
        return new World(path, 2, EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS));
    }

    private static void fill(MemorySegment memory, long length, long seed) {
        long at = 0;
        for (; at + 8 <= length; at += 8) {
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, (at + 1) * 0x9E3779B97F4A7C15L ^ seed);
        }
        for (; at < length; at++) {
            memory.set(ValueLayout.JAVA_BYTE, at, (byte) (at * 31 + seed));
        }
    }

    private static void assertFilled(MemorySegment memory, long length, long seed) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment expected = arena.allocate(Math.max(1, length));
            fill(expected, length, seed);
            long mismatch = MemorySegment.mismatch(expected, 0, length, memory, 0, length);
            assertEquals(-1, mismatch, "first wrong byte of " + length);
        }
    }

    @ParameterizedTest
    @CsvSource({"MEMORY,false", "IPC,false", "IPC,true", "UDP,false", "UDP,true"})
    void shouldMoveEverySizeExactly(World.Path path, boolean checksum) throws Exception {
        EndpointSettings settings =
                EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS).withChecksum(checksum);
        try (World world = new World(path, 2, settings);
                Arena arena = Arena.ofShared()) {
            MemorySegment source = arena.allocate(64 << 20);
            MemorySegment destination = arena.allocate((64 << 20) + 1);
            world.run(endpoint -> {
                for (int i = 0; i < SIZES.length; i++) {
                    if (endpoint.rank() == 0) {
                        fill(source, SIZES[i], i);
                        endpoint.await(endpoint.send(1, ACTIVATION, 3, i, source, 0, SIZES[i]));
                        endpoint.await(endpoint.receive(1, GRADIENT, 3, i, source, 0, 0));
                    } else {
                        destination.set(ValueLayout.JAVA_BYTE, SIZES[i], (byte) 99);
                        endpoint.await(endpoint.receive(0, ACTIVATION, 3, i, destination, 0, SIZES[i]));
                        assertFilled(destination, SIZES[i], i);
                        assertEquals(99, destination.get(ValueLayout.JAVA_BYTE, SIZES[i]), "byte after the end");
                        endpoint.await(endpoint.send(0, GRADIENT, 3, i, destination, 0, 0));
                    }
                }
            });
            assertEquals(
                    world.endpoint(0).counters().of(1, Counter.BYTES_SENT),
                    world.endpoint(1).counters().of(0, Counter.BYTES_RECEIVED));
            assertEquals(SIZES.length, world.endpoint(1).counters().total(Counter.MESSAGES_RECEIVED));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepOrderWithManyInFlight(World.Path path) throws Exception {
        int count = 1500;
        long slot = 5000;
        try (World world = world(path);
                Arena arena = Arena.ofShared()) {
            MemorySegment[] memory = {arena.allocate(count * slot), arena.allocate(count * slot)};
            world.run(endpoint -> {
                boolean sender = endpoint.rank() == 0;
                Transfer[] transfers = new Transfer[count];
                for (int i = 0; i < count; i++) {
                    long length = i * 37L % slot;
                    if (sender) {
                        fill(memory[0].asSlice(i * slot, length), length, i);
                        transfers[i] = endpoint.send(1, ACTIVATION, 1, i, memory[0], i * slot, length);
                    } else {
                        transfers[i] = endpoint.receive(0, ACTIVATION, 1, i, memory[1], i * slot, length);
                    }
                }
                for (Transfer transfer : transfers) {
                    endpoint.await(transfer);
                }
            });
            for (int i = 0; i < count; i++) {
                assertFilled(memory[1].asSlice(i * slot), i * 37L % slot, i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldMoveBothWaysAtOnce(World.Path path) throws Exception {
        long length = (24 << 20) + 5;
        try (World world = world(path);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                int self = endpoint.rank();
                MemorySegment mine = arena.allocate(length);
                MemorySegment theirs = arena.allocate(length);
                fill(mine, length, self);
                Transfer receive = endpoint.receive(1 - self, ACTIVATION, 0, 0, theirs);
                Transfer send = endpoint.send(1 - self, ACTIVATION, 0, 0, mine);
                endpoint.await(send);
                endpoint.await(receive);
                assertFilled(theirs, length, 1 - self);
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotLetOneLaneHoldUpAnother(World.Path path) throws Exception {
        try (World world = world(path);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64 << 20);
            world.run(endpoint -> {
                if (endpoint.rank() == 0) {
                    Transfer blocked = endpoint.send(1, ACTIVATION, 0, 0, memory, 0, 32 << 20);
                    endpoint.await(endpoint.send(1, GRADIENT, 0, 0, memory, 0, 1000));
                    endpoint.await(blocked);
                } else {
                    endpoint.await(endpoint.receive(0, GRADIENT, 0, 0, memory, 32 << 20, 1000));
                    endpoint.await(endpoint.receive(0, ACTIVATION, 0, 0, memory, 32 << 20, 32 << 20));
                }
            });
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MEMORY,length",
        "MEMORY,kind",
        "MEMORY,order",
        "MEMORY,step",
        "IPC,length",
        "IPC,kind",
        "IPC,order",
        "IPC,step",
        "UDP,length"
    })
    void shouldPrintBothSidesOfADisagreement(World.Path path, String what) throws Exception {
        try (World world = world(path);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(8192);
            int step = what.equals("step") ? 18 : 17;
            int microBatch = what.equals("order") ? 6 : 5;
            long length = what.equals("length") ? 4100 : 4096;
            world.run(endpoint -> {
                if (endpoint.rank() == 0) {
                    endpoint.send(1, what.equals("kind") ? TIED : GRADIENT, step, microBatch, memory, 0, length);
                    return;
                }
                Transfer receive = endpoint.receive(0, GRADIENT, 17, 5, memory, 0, 4096);
                ProtocolException e = assertThrows(ProtocolException.class, () -> endpoint.await(receive));
                String message = String.valueOf(e.getMessage());
                assertTrue(
                        message.contains("rank 1 expected from rank 0: GRADIENT chunk 0, step 17, micro-batch 5,"
                                + " 4096 bytes"),
                        message);
                assertTrue(
                        message.contains("found: " + (what.equals("kind") ? "TIED_GRADIENT" : "GRADIENT")
                                + " chunk 0, step " + step + ", micro-batch " + microBatch + ", " + length + " bytes"),
                        message);
            });
            world.run(endpoint -> {
                PeerLostException lost = assertThrows(PeerLostException.class, () -> waitForFailure(endpoint));
                assertEquals(0, lost.rank());
            });
        }
    }

    private static void waitForFailure(Endpoint endpoint) throws InterruptedException {
        for (int i = 0; i < 500; i++) {
            endpoint.check();
            Thread.sleep(10);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldSayHowManyTransfersThereAre(World.Path path) {
        EndpointSettings settings = EndpointSettings.DEFAULT.withTransfers(3);
        try (World world = new World(path, 2, settings);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(8);
            Endpoint endpoint = world.endpoint(0);
            for (int i = 0; i < 3; i++) {
                endpoint.receive(1, ACTIVATION, 0, i, memory);
            }
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> endpoint.receive(1, ACTIVATION, 0, 3, memory));
            assertTrue(String.valueOf(e.getMessage()).contains("all its 3 transfers"), e.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseMemoryThatOthersMayNotTouch(World.Path path) {
        try (World world = world(path);
                Arena confined = Arena.ofConfined();
                Arena shared = Arena.ofShared()) {
            Endpoint endpoint = world.endpoint(0);
            MemorySegment own = confined.allocate(8);
            MemorySegment heap = MemorySegment.ofArray(new long[1]);
            MemorySegment readOnly = shared.allocate(8).asReadOnly();
            assertThrows(IllegalArgumentException.class, () -> endpoint.send(1, ACTIVATION, 0, 0, own));
            assertThrows(IllegalArgumentException.class, () -> endpoint.send(1, ACTIVATION, 0, 0, heap));
            assertThrows(IllegalArgumentException.class, () -> endpoint.receive(1, ACTIVATION, 0, 0, readOnly));
            assertThrows(IllegalArgumentException.class, () -> endpoint.send(0, ACTIVATION, 0, 0, readOnly));
            assertThrows(IndexOutOfBoundsException.class, () -> endpoint.send(1, ACTIVATION, 0, 0, readOnly, 4, 8));
        }
    }

    @Test
    void shouldBoundAWaitForALivingPeer() throws Exception {
        World.onEveryPath(EndpointContractTest::boundAWaitForALivingPeer);
    }

    private static void boundAWaitForALivingPeer(World.Path path) {
        EndpointSettings settings = EndpointSettings.DEFAULT.withWaitLimit(4_100, TimeUnit.MILLISECONDS);
        try (World world = new World(path, 2, settings);
                Arena arena = Arena.ofShared()) {
            Endpoint endpoint = world.endpoint(0);
            Transfer receive = endpoint.receive(1, GRADIENT, 17, 5, arena.allocate(16));
            PeerLostException lost = assertThrows(PeerLostException.class, () -> endpoint.await(receive));
            assertEquals("GRADIENT chunk 0, step 17, micro-batch 5, 16 bytes from rank 1", lost.waitingFor());
            assertTrue(lost.waitedNs() >= 4_100_000_000L, lost.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellEveryRankTheSameCulprit(World.Path path) throws Exception {
        EndpointSettings settings = EndpointSettings.DEFAULT.withActivityNames(n -> n == 4 ? "backward" : "other");
        try (World world = new World(path, 4, settings);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            world.run(endpoint -> {
                if (endpoint.rank() == 2) {
                    endpoint.progress(17, 3, 4);
                    Thread.sleep(300);
                    endpoint.announceFailure("out of memory in layer 7");
                    return;
                }
                Transfer receive = endpoint.receive((endpoint.rank() + 1) % 4, GRADIENT, 1, 1, memory);
                PeerLostException lost = assertThrows(PeerLostException.class, () -> endpoint.await(receive));
                assertEquals(2, lost.rank());
                String message = String.valueOf(lost.getMessage());
                assertTrue(
                        message.contains("rank 2 lost at step 17, backward of micro-batch 3: out of memory in layer 7"),
                        message);
                assertTrue(message.contains("rank " + endpoint.rank() + " waited"), message);
                assertTrue(lost.waitedNs() < TimeUnit.SECONDS.toNanos(2), message);
            });
        }
    }

    @Test
    void shouldTakeLeavingAfterDoneAsNoFailure() throws Exception {
        World.onEveryPath(EndpointContractTest::takeLeavingAfterDoneAsNoFailure);
    }

    private static void takeLeavingAfterDoneAsNoFailure(World.Path path) throws Exception {
        try (World world = new World(path, 3, EndpointSettings.DEFAULT);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            Endpoint leaver = world.endpoint(2);
            Transfer unread = leaver.send(0, ACTIVATION, 0, 0, memory);
            assertFalse(path == World.Path.MEMORY && leaver.isDone(unread));
            Transfer late = world.endpoint(0).receive(2, ACTIVATION, 0, 0, memory);
            world.endpoint(0).await(late);
            leaver.await(unread);
            leaver.announceDone();
            leaver.close();
            Transfer never = world.endpoint(1).receive(2, ACTIVATION, 0, 0, memory);
            PeerLostException lost = assertThrows(
                    PeerLostException.class, () -> world.endpoint(1).await(never));
            assertTrue(String.valueOf(lost.getMessage()).contains("announced that it was done"), lost.getMessage());
            Thread.sleep(path == World.Path.MEMORY ? 1 : 4_500);
            world.endpoint(0).check();
            world.endpoint(1).check();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeClosingWithoutDoneAsFailure(World.Path path) throws Exception {
        try (World world = world(path)) {
            world.endpoint(1).close();
            PeerLostException lost = assertThrows(PeerLostException.class, () -> waitForFailure(world.endpoint(0)));
            assertEquals(1, lost.rank());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotAllocatePerMessage(World.Path path) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        AtomicLong allocated = new AtomicLong();
        try (World world = world(path);
                Arena arena = Arena.ofShared()) {
            long length = 200_000;
            MemorySegment[] memory = {arena.allocate(length), World.readable(world.endpoint(1), length, arena)};
            world.run(endpoint -> {
                int self = endpoint.rank();
                long compute = Thread.currentThread().threadId();
                long agent = agentThread(self);
                long before = 0;
                for (int i = 0; i < 4_000; i++) {
                    if (i == 2_000) {
                        before = threads.getThreadAllocatedBytes(agent) + threads.getThreadAllocatedBytes(compute);
                    }
                    endpoint.progress(i, 0, 1);
                    Transfer receive = endpoint.receive(1 - self, ACTIVATION, i, 0, memory[self], 0, length / 2);
                    Transfer send = endpoint.send(1 - self, ACTIVATION, i, 0, memory[self], length / 2, length / 2);
                    endpoint.await(receive);
                    endpoint.await(send);
                }
                long after = threads.getThreadAllocatedBytes(agent) + threads.getThreadAllocatedBytes(compute);
                allocated.addAndGet(after - before);
            });
        }
        // Less than a byte for each of the 8,000 transfers: what is left is the measurement itself.
        assertTrue(allocated.get() < 4_000, allocated.get() + " bytes for 8000 transfers");
    }

    private static long agentThread(int rank) {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().equals("penstock-transport-rank-" + rank)) {
                return thread.threadId();
            }
        }
        return Thread.currentThread().threadId();
    }
}
