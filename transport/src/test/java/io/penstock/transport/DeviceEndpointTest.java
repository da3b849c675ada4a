package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DeviceEndpointTest {
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(30, TimeUnit.SECONDS);
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final int[] SIZES = {0, 1, 1000, 100_003};
    private static final Object DEVICES = new Object();

    /** Does nothing before somebody waits for it. */
    private static final class Queue {
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
        private long asked;
        private long done;

        long ask(Runnable work) {
            synchronized (DEVICES) {
                waiting.add(work);
                return ++asked;
            }
        }

        void runTo(long place) {
            synchronized (DEVICES) {
                while (done < place) {
                    done++;
                    waiting.remove().run();
                }
            }
        }
    }

    private static class LateDevice implements DeviceLink {
        private final Queue work = new Queue();
        private final Queue copies = new Queue();

        @Override
        public long mark() {
            synchronized (DEVICES) {
                return work.asked;
            }
        }

        @Override
        @SuppressWarnings("restricted")
        public long startCopy(
                long to, long from, long bytes, long mark, DeviceLink peer, long peerMark, boolean incoming) {
            return copies.ask(() -> {
                work.runTo(mark);
                ((LateDevice) peer).work.runTo(peerMark);
                MemorySegment.ofAddress(to)
                        .reinterpret(bytes)
                        .copyFrom(MemorySegment.ofAddress(from).reinterpret(bytes));
            });
        }

        @Override
        public void orderAfter(DeviceLink starter, long copy) {
            ask(() -> ((LateDevice) starter).copies.runTo(copy));
        }

        void ask(Runnable item) {
            work.ask(item);
        }

        @Override
        public void finish() {
            work.runTo(mark());
        }
    }

    private static byte value(int sender, int message, long i) {
        return (byte) (sender * 31 + message * 7 + i * 13);
    }

    private static void fill(MemorySegment memory, int sender, int message) {
        for (long i = 0; i < memory.byteSize(); i++) {
            memory.set(ValueLayout.JAVA_BYTE, i, value(sender, message, i));
        }
    }

    @Test
    void shouldOrderMessagesAmongWhatBothDevicesDo() throws Exception {
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                LateDevice device = new LateDevice();
                try (Endpoint devices = endpoint.onDevices(device).orElseThrow()) {
                    for (int round = 0; round < 3; round++) {
                        exchange(devices, device, arena, round);
                    }
                }
            });
        }
    }

    private static void exchange(Endpoint endpoint, LateDevice device, Arena arena, int round) {
        int me = endpoint.rank();
        List<Transfer> sends = new ArrayList<>();
        List<Transfer> receives = new ArrayList<>();
        List<MemorySegment> out = new ArrayList<>();
        List<MemorySegment> in = new ArrayList<>();
        List<MemorySegment> seen = new ArrayList<>();
        for (int message = 0; message < SIZES.length; message++) {
            int number = message + round;
            MemorySegment source = arena.allocate(SIZES[message]);
            out.add(source);
            device.ask(() -> fill(source, me, number));
            sends.add(endpoint.send(1 - me, TAG, round, message, source));
        }
        for (int size : SIZES) {
            int message = in.size();
            in.add(arena.allocate(size + 2L));
            receives.add(endpoint.receive(1 - me, TAG, round, message, in.get(message), 1, size));
        }
        for (int message = SIZES.length - 1; message >= 0; message--) {
            endpoint.await(receives.get(message));
            MemorySegment found = in.get(message);
            MemorySegment copy = arena.allocate(found.byteSize());
            seen.addFirst(copy);
            device.ask(() -> copy.copyFrom(found));
            endpoint.await(sends.get(message));
            MemorySegment source = out.get(message);
            device.ask(() -> source.fill((byte) 0));
        }
        device.finish();
        for (int message = 0; message < SIZES.length; message++) {
            MemorySegment expected = arena.allocate(SIZES[message]);
            fill(expected, 1 - me, message + round);
            MemorySegment found = seen.get(message);
            assertEquals(-1, expected.mismatch(found.asSlice(1, SIZES[message])), "message " + message);
            assertEquals(0, found.get(ValueLayout.JAVA_BYTE, 0));
            assertEquals(0, found.get(ValueLayout.JAVA_BYTE, SIZES[message] + 1L));
        }
    }

    @Test
    void shouldCarryCollectivesOfDevices() throws Exception {
        try (World world = new World(World.Path.MEMORY, 3, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                LateDevice device = new LateDevice();
                try (Endpoint devices = endpoint.onDevices(device).orElseThrow()) {
                    MemorySegment scratch = arena.allocate(Collectives.scratchBytes(3, 20_000), 64);
                    Collectives collectives = new Collectives(devices, new int[] {0, 1, 2}, scratch);
                    int elements = 50_021;
                    MemorySegment data = arena.allocate(4L * elements, 64);
                    device.ask(() -> {
                        for (int i = 0; i < elements; i++) {
                            data.setAtIndex(ValueLayout.JAVA_INT, i, i * (devices.rank() + 1));
                        }
                    });
                    collectives.allReduce(data, 0, 4L * elements, new LateSum(device));
                    device.finish();
                    for (int i = 0; i < elements; i++) {
                        assertEquals(i * 6, data.getAtIndex(ValueLayout.JAVA_INT, i), "element " + i);
                    }
                }
            });
        }
    }

    /** Allocates nothing itself. */
    private static final class IdleDevice implements DeviceLink {
        private long copies;

        @Override
        public long mark() {
            return 0;
        }

        @Override
        public long startCopy(
                long to, long from, long bytes, long mark, DeviceLink peer, long peerMark, boolean incoming) {
            return copies++;
        }

        @Override
        public void orderAfter(DeviceLink starter, long copy) {}

        @Override
        public void finish() {}
    }

    @Test
    void shouldAllocateNothingAfterTheFirstMessages() throws Exception {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            Endpoint one = world.endpoint(0).onDevices(new IdleDevice()).orElseThrow();
            Endpoint two = world.endpoint(1).onDevices(new IdleDevice()).orElseThrow();
            long before = 0;
            for (int i = 0; i < 60_000; i++) {
                if (i == 30_000) {
                    before = threads.getCurrentThreadAllocatedBytes();
                }
                Transfer sent = one.send(1, TAG, i, 0, memory, 0, 32);
                Transfer received = two.receive(0, TAG, i, 0, memory, 32, 32);
                one.await(sent);
                two.await(received);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < 30_000, allocated + " bytes over 30,000 messages");
            one.close();
            two.close();
        }
    }

    private record LateSum(LateDevice device) implements Reducer {
        @Override
        public int elementBytes() {
            return 4;
        }

        @Override
        public void reduce(MemorySegment to, long at, MemorySegment[] sources, long[] offsets, long length) {
            MemorySegment[] from = sources.clone();
            long[] places = offsets.clone();
            device.ask(() -> {
                for (long i = 0; i < length; i += 4) {
                    int sum = 0;
                    for (int s = 0; s < from.length; s++) {
                        sum += from[s].get(ValueLayout.JAVA_INT, places[s] + i);
                    }
                    to.set(ValueLayout.JAVA_INT, at + i, sum);
                }
            });
        }
    }

    @Test
    void shouldNameBothWhereOneMeansTheHost() throws Exception {
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            Endpoint devices = world.endpoint(0).onDevices(new LateDevice()).orElseThrow();
            Transfer received = world.endpoint(1).receive(0, TAG, 3, 4, memory, 0, 16);
            Transfer sent = devices.send(1, TAG, 3, 4, memory, 16, 16);
            ProtocolException error = assertThrows(
                    ProtocolException.class, () -> world.endpoint(1).await(received));
            String message = String.valueOf(error.getMessage());
            assertTrue(message.contains("rank 1 expected from rank 0"), message);
            assertTrue(message.endsWith("ACTIVATION chunk 0, step 3, micro-batch 4, 16 bytes of a device"), message);
            assertEquals(
                    0,
                    assertThrows(PeerLostException.class, () -> devices.await(sent))
                            .rank());
            devices.close();
        }
    }

    @Test
    void shouldNameWhoIsLost() throws Exception {
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            world.run(endpoint -> {
                if (endpoint.rank() == 1) {
                    endpoint.progress(17, 3, 0);
                    endpoint.announceFailure("the device is full");
                    return;
                }
                Endpoint devices = endpoint.onDevices(new LateDevice()).orElseThrow();
                MemorySegment memory = arena.allocate(64);
                PeerLostException lost = assertThrows(
                        PeerLostException.class, () -> devices.await(devices.receive(1, TAG, 17, 3, memory)));
                assertEquals(1, lost.rank());
                assertTrue(String.valueOf(lost.getMessage()).contains("the device is full"), lost.getMessage());
                devices.close();
            });
        }
    }

    @Test
    void shouldTakeItsMemoryOutOfEveryMessageWhenItCloses() throws Exception {
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            LateDevice one = new LateDevice();
            LateDevice two = new LateDevice();
            Endpoint leaving = world.endpoint(0).onDevices(one).orElseThrow();
            Endpoint staying = world.endpoint(1).onDevices(two).orElseThrow();
            one.ask(() -> memory.asSlice(0, 32).fill((byte) 5));
            Transfer matched = staying.receive(0, TAG, 0, 0, memory, 32, 16);
            leaving.send(1, TAG, 0, 0, memory, 0, 16);
            leaving.send(1, TAG, 0, 1, memory, 16, 16);
            leaving.close();
            assertEquals(5, memory.get(ValueLayout.JAVA_BYTE, 32), "a copy under way was waited for");
            memory.asSlice(0, 32).fill((byte) 0);
            assertTrue(staying.isDone(matched));
            staying.await(matched);
            Transfer late = staying.receive(0, TAG, 0, 1, memory, 48, 16);
            assertFalse(staying.isDone(late), "nobody sends any more");
            staying.close();
        }
    }

    /** Whoever matched a message and failed is through with it; a copy that is being started is not, however long that takes. */
    @Test
    void shouldCloseWhenTheMatcherIsThroughWithItsMemory() throws Exception {
        try (World world = new World(World.Path.MEMORY, 2, SETTINGS);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(64);
            Endpoint leaving = world.endpoint(0).onDevices(new LateDevice()).orElseThrow();
            leaving.send(1, TAG, 0, 0, memory, 0, 16);
            leaving.send(1, TAG, 0, 1, memory, 16, 16);
            CountDownLatch starting = new CountDownLatch(1);
            CountDownLatch mayFail = new CountDownLatch(1);
            Endpoint failing = world.endpoint(1)
                    .onDevices(new LateDevice() {
                        @Override
                        public long startCopy(
                                long to, long from, long bytes, long mark, DeviceLink peer, long peerMark, boolean in) {
                            starting.countDown();
                            awaitIt(mayFail);
                            throw new IllegalStateException("no such device");
                        }
                    })
                    .orElseThrow();
            Thread matcher = Thread.ofPlatform()
                    .start(() -> assertThrows(
                            IllegalStateException.class, () -> failing.receive(0, TAG, 0, 0, memory, 32, 16)));
            awaitIt(starting);
            Thread closing = Thread.ofPlatform().start(leaving::close);
            closing.join(Duration.ofMillis(400));
            assertTrue(closing.isAlive(), "left while a copy of its memory was being started");
            mayFail.countDown();
            closing.join();
            matcher.join();
            failing.close();
        }
    }

    private static void awaitIt(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void shouldLeaveDevicesToStagingWherePeersAreElsewhere() throws Exception {
        try (World world = new World(World.Path.IPC, 2, SETTINGS)) {
            assertTrue(world.endpoint(0).onDevices(new LateDevice()).isEmpty());
        }
    }
}
