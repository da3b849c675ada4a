package io.penstock.tensor.cuda;

import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A JVM in which one GPU's memory is copied to another's, each with a thread of its own, while both have work before and after. Prints for every way to do it and every wait for an
 * event that the driver leaves out (0: none) whether what both computed is right: "DEVICES STARTER WAIT LOST right|wrong".
 */
final class PeerCopiesRun {
    private static final int FLOATS = 1000;
    private static final long BYTES = (long) FLOATS * Float.BYTES;
    private static final float OLD = 9;
    private static final float SENT = 1;
    private static final float NEXT = 2;

    private final Rank sender;
    private final Rank receiver;
    private final StandInPlay play;

    /** A GPU and its thread; {@code buffer} is what is sent from or received into, {@code before} and {@code after} what the buffer held then. */
    private static final class Rank {
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final CudaBackend backend;
        private final DeviceCopies copies;
        private final DeviceMemory memory;
        private final Tensor buffer;
        private final Tensor before;
        private final Tensor after;

        Rank(int device, LibraryFinder finder) throws Exception {
            backend = thread.submit(() -> new CudaBackend(JCudaGpu.open(device, finder), 1 << 16, 256))
                    .get();
            copies = backend.copies().orElseThrow();
            memory = call(() -> backend.allocate(3 * BYTES));
            buffer = part(0);
            before = part(1);
            after = part(2);
        }

        private Tensor part(int number) {
            return Tensor.of(memory.segment().asSlice(number * BYTES, BYTES), DType.F32, Shape.of(FLOATS));
        }

        <T> T call(Callable<T> work) throws Exception {
            return thread.submit(work).get();
        }

        void give(Runnable work) throws Exception {
            thread.submit(work).get();
        }

        void fill(float value) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment host = arena.allocate(BYTES, Float.BYTES);
                for (int i = 0; i < FLOATS; i++) {
                    host.setAtIndex(ValueLayout.JAVA_FLOAT, i, value + i);
                }
                copies.upload(buffer.segment(), host);
            }
        }

        boolean holds(Tensor tensor, float value) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment host = arena.allocate(BYTES, Float.BYTES);
                copies.download(host, tensor.segment());
                for (int i = 0; i < FLOATS; i++) {
                    if (host.getAtIndex(ValueLayout.JAVA_FLOAT, i) != value + i) {
                        return false;
                    }
                }
                return true;
            }
        }

        void close() throws Exception {
            give(() -> {
                memory.close();
                backend.close();
            });
            thread.close();
        }
    }

    private PeerCopiesRun(Path folder, int devices) throws Exception {
        LibraryFinder finder = new LibraryFinder(false, List.of(folder));
        sender = new Rank(0, finder);
        receiver = new Rank(devices - 1, finder);
        play = new StandInPlay(folder);
    }

    public static void main(String[] arguments) throws Throwable {
        for (int devices = 1; devices <= 2; devices++) {
            PeerCopiesRun run = new PeerCopiesRun(Path.of(arguments[0]), devices);
            for (boolean bySender : new boolean[] {true, false}) {
                long all = 0;
                for (long lost = 0; lost <= all; lost++) {
                    boolean right = true;
                    for (boolean eager : new boolean[] {false, true}) {
                        for (boolean senderFirst : new boolean[] {true, false}) {
                            right &= run.isRight(bySender, eager, senderFirst, lost);
                            all = run.play.waits();
                        }
                    }
                    System.out.println(devices + " " + (bySender ? "sender" : "receiver") + " " + lost + " "
                            + (right ? "right" : "wrong"));
                }
            }
            run.close();
        }
    }

    /** {@code senderFirst}: which of the two has its work done first. */
    private boolean isRight(boolean bySender, boolean eager, boolean senderFirst, long lost) throws Throwable {
        play.begin(eager, lost);
        receiver.give(() -> {
            receiver.fill(OLD);
            receiver.backend.copy(receiver.before, receiver.buffer);
        });
        sender.give(() -> sender.fill(SENT));
        long sent = sender.call(sender.copies::mark);
        long free = receiver.call(receiver.copies::mark);
        long to = receiver.buffer.address();
        long from = sender.buffer.address();
        Rank starter = bySender ? sender : receiver;
        long copy = bySender
                ? sender.call(() -> sender.copies.startCopy(to, from, BYTES, sent, receiver.copies, free, false))
                : receiver.call(() -> receiver.copies.startCopy(to, from, BYTES, free, sender.copies, sent, true));
        sender.give(() -> {
            sender.copies.orderAfter(starter.copies, copy);
            sender.fill(NEXT);
        });
        receiver.give(() -> {
            receiver.copies.orderAfter(starter.copies, copy);
            receiver.backend.copy(receiver.after, receiver.buffer);
        });
        for (Rank rank : senderFirst ? List.of(sender, receiver) : List.of(receiver, sender)) {
            rank.give(rank.copies::finish);
        }
        return sender.call(() -> sender.holds(sender.buffer, NEXT))
                && receiver.call(() -> receiver.holds(receiver.before, OLD))
                && receiver.call(() -> receiver.holds(receiver.after, SENT));
    }

    private void close() throws Exception {
        receiver.close();
        sender.close();
    }
}
