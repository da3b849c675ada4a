package io.penstock.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.penstock.transport.driver.DriverHost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Somebody else who writes into our streams: a stranger, a rank of another run, one that was declared dead, one that repeats. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ForgedFramesTest {
    private static final Tag TAG = new Tag(Kind.ACTIVATION, 0);
    private static final int LENGTH = 4096;
    private static final EndpointSettings SETTINGS = EndpointSettings.DEFAULT.withWaitLimit(20, TimeUnit.SECONDS);
    private static final AeronSettings IPC =
            World.APART.withIpc(World.APART.ipc().withSlab(2, 1024, 1));

    private final List<byte[]> captured = new ArrayList<>();

    private static byte[] frame(
            byte type, long job, int epoch, int source, int step, int microBatch, long sequence, int payload) {
        byte[] bytes = new byte[Frame.HEADER_BYTES + payload];
        MutableDirectBuffer buffer = new UnsafeBuffer(bytes);
        Frame.encode(
                buffer,
                0,
                type,
                TAG.kind().wire(),
                (byte) 0,
                job,
                epoch,
                source,
                step,
                microBatch,
                TAG.chunk(),
                sequence,
                LENGTH,
                0);
        return bytes;
    }

    private static void offer(ExclusivePublication publication, byte[] bytes) {
        UnsafeBuffer buffer = new UnsafeBuffer(bytes);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (publication.offer(buffer) < 0) {
            assertTrue(System.nanoTime() < deadline, "the forger's frame found no room");
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldRefuseForgedAndReplayedFrames() throws Exception {
        try (DriverHost driver = World.startDriver(2);
                Arena arena = Arena.ofShared();
                Aeron forger = Aeron.connect(new Aeron.Context()
                        .aeronDirectoryName(driver.directory().toString()))) {
            Membership membership = World.membership(2, driver);
            AeronPaths paths = new AeronPaths(membership, 0, IPC);
            int stream = paths.dataStream(0, 1, TAG.kind().lane());
            String channel = paths.publication(1);
            Subscription listener = forger.addSubscription("aeron:ipc", stream);
            try (Endpoint sender = AeronEndpoint.open(membership, 0, IPC, SETTINGS);
                    Endpoint receiver = AeronEndpoint.open(membership, 1, IPC, SETTINGS)) {
                MemorySegment memory = arena.allocate(2 * LENGTH);
                int message = 0;
                while (captured.size() < 5) {
                    exchange(sender, receiver, memory, message++, listener);
                }
                ExclusivePublication publication = forger.addExclusivePublication(channel, stream);
                int forged = 0;
                for (byte[] bytes : forgeries(membership)) {
                    offer(publication, bytes);
                    forged++;
                }
                for (byte[] bytes : captured) {
                    offer(publication, bytes);
                    forged++;
                }
                for (int i = 0; i < 20; i++) {
                    exchange(sender, receiver, memory, message++, listener);
                }
                assertEquals(forged, receiver.counters().of(0, TAG.kind(), Counter.FRAMES_REFUSED));
                sender.check();
                receiver.check();
                sender.announceDone();
                receiver.announceDone();
            }
        }
    }

    private static List<byte[]> forgeries(Membership membership) {
        long job = membership.job();
        int epoch = membership.epoch();
        byte[] noMagic = frame(Frame.DATA, job, epoch, 0, 1, 1, 1, LENGTH);
        noMagic[0] ^= 1;
        byte[] otherVersion = frame(Frame.DATA, job, epoch, 0, 1, 1, 1, LENGTH);
        otherVersion[4]++;
        return List.of(
                noMagic,
                otherVersion,
                new byte[] {1, 2, 3},
                frame(Frame.DATA, job + 1, epoch, 0, 1, 1, 1, LENGTH),
                frame(Frame.DATA, job, epoch - 1, 0, 1, 1, 1, LENGTH),
                frame(Frame.DATA, job, epoch, 1, 1, 1, 1, LENGTH),
                frame(Frame.HEARTBEAT, job, epoch, 0, 1, 1, 1, LENGTH),
                frame(Frame.SLAB, job, epoch, 0, 1, 1, 1, 3),
                // All is right but that another session sends in this lane.
                frame(Frame.DATA, job, epoch, 0, 1, 1, 1, LENGTH),
                frame(Frame.SLAB, job, epoch, 0, 1, 1, 1, Frame.DESCRIPTOR_BYTES),
                frame(Frame.SHARED, job, epoch, 0, 1, 1, 1, Frame.DESCRIPTOR_BYTES),
                frame(Frame.SHARED, job, epoch, 0, 1, 1, 1, 3));
    }

    private void exchange(Endpoint sender, Endpoint receiver, MemorySegment memory, int i, Subscription listener) {
        memory.asSlice(0, LENGTH).fill((byte) (i + 1));
        Transfer receive = receiver.receive(0, TAG, i, i, memory, LENGTH, LENGTH);
        Transfer send = sender.send(1, TAG, i, i, memory, 0, LENGTH);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!sender.isDone(send) || !receiver.isDone(receive)) {
            // A listener that does not read would hold everybody up.
            listener.poll(
                    (buffer, at, length, header) -> {
                        byte[] bytes = new byte[length];
                        buffer.getBytes(at, bytes);
                        captured.add(bytes);
                    },
                    10);
            assertTrue(System.nanoTime() < deadline, "message " + i + " does not come");
        }
        sender.await(send);
        receiver.await(receive);
        assertEquals(
                -1, MemorySegment.mismatch(memory, 0, LENGTH, memory, LENGTH, 2 * LENGTH), "bytes of message " + i);
    }

    @Test
    void shouldRefuseForgedHeartbeatsAndFailures() throws Exception {
        try (DriverHost driver = World.startDriver(2);
                Aeron forger = Aeron.connect(new Aeron.Context()
                        .aeronDirectoryName(driver.directory().toString()))) {
            Membership membership = World.membership(2, driver);
            AeronPaths paths = new AeronPaths(membership, 0, IPC);
            try (Endpoint first = AeronEndpoint.open(membership, 0, IPC, SETTINGS);
                    Endpoint second = AeronEndpoint.open(membership, 1, IPC, SETTINGS)) {
                ExclusivePublication publication =
                        forger.addExclusivePublication(paths.controlPublication(1), paths.controlStream(0, 1));
                offer(publication, frame(Frame.ABORT, membership.job() + 1, membership.epoch(), 0, 1, 1, 0, 40));
                offer(publication, frame(Frame.ABORT, membership.job(), membership.epoch() - 1, 0, 1, 1, 0, 40));
                offer(publication, frame(Frame.HEARTBEAT, membership.job(), membership.epoch(), 7, 1, 1, 0, 0));
                for (int i = 0; i < 500 && second.counters().total(Counter.FRAMES_REFUSED) < 3; i++) {
                    Thread.sleep(10);
                }
                assertEquals(3, second.counters().total(Counter.FRAMES_REFUSED));
                first.check();
                second.check();
                first.announceDone();
                second.announceDone();
            }
        }
    }
}
