package io.penstock.tensor.cuda;

import com.sun.management.ThreadMXBean;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.DeviceLane;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

/**
 * A JVM in which three micro-batches are computed forward and then back in two regions of a GPU, as offloaded activations are. Prints for every wait for an event that the driver leaves
 * out (0: none) whether what came back is right, "LOST right|wrong", and what the thread allocates in fifty steps.
 */
final class CopyLaneRun {
    private static final int FLOATS = 1000;
    private static final long BYTES = (long) FLOATS * Float.BYTES;
    private static final int MICRO_BATCHES = 3;
    private static final int ROUNDS = 20;
    private static final int STEPS = 50;

    private final CudaBackend backend;
    private final DeviceCopies copies;
    private final DeviceLane lane;
    private final DeviceMemory device;
    private final DeviceMemory host;
    private final Tensor[] regions = new Tensor[2];
    private final Tensor[] saved = new Tensor[MICRO_BATCHES];
    private final Tensor[] seen = new Tensor[MICRO_BATCHES];
    private final MemorySegment[] places = new MemorySegment[MICRO_BATCHES];

    private CopyLaneRun(LibraryFinder finder) {
        backend = new CudaBackend(JCudaGpu.open(0, finder), 1 << 16, 256);
        copies = backend.copies().orElseThrow();
        lane = copies.lane();
        device = backend.allocate((2 + 2 * MICRO_BATCHES) * BYTES);
        host = copies.allocateMapped(MICRO_BATCHES * BYTES);
        for (int i = 0; i < 2; i++) {
            regions[i] = part(i);
        }
        for (int i = 0; i < MICRO_BATCHES; i++) {
            saved[i] = part(2 + i);
            seen[i] = part(2 + MICRO_BATCHES + i);
            places[i] = host.segment().asSlice(i * BYTES, BYTES);
            upload(saved[i], 100f * i + 1);
        }
    }

    private Tensor part(int number) {
        return Tensor.of(device.segment().asSlice(number * BYTES, BYTES), DType.F32, Shape.of(FLOATS));
    }

    private void upload(Tensor tensor, float value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(BYTES, Float.BYTES);
            for (int i = 0; i < FLOATS; i++) {
                floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, value + i);
            }
            copies.upload(tensor.segment(), floats);
        }
    }

    public static void main(String[] arguments) throws Throwable {
        Path folder = Path.of(arguments[0]);
        CopyLaneRun run = new CopyLaneRun(new LibraryFinder(false, List.of(folder)));
        StandInPlay play = new StandInPlay(folder);
        long waits = 0;
        for (long lost = 0; lost <= waits; lost++) {
            boolean right = true;
            for (boolean eager : new boolean[] {false, true}) {
                run.forget();
                play.begin(eager, lost);
                run.step();
                waits = play.waits();
                run.copies.finish();
                right &= run.isRight();
            }
            System.out.println(lost + (right ? " right" : " wrong"));
        }
        play.begin(false, 0);
        System.out.println(run.allocated() + " bytes allocated");
        run.close();
    }

    /** Nothing of the step before is left. */
    private void forget() {
        for (int i = 0; i < MICRO_BATCHES; i++) {
            upload(seen[i], 0);
            places[i].fill((byte) 0);
        }
        upload(regions[0], 0);
        upload(regions[1], 0);
        copies.finish();
    }

    private void step() {
        backend.copy(regions[0], saved[0]);
        long out0 = lane.startDownload(places[0], regions[0].segment());
        backend.copy(regions[1], saved[1]);
        lane.startDownload(places[1], regions[1].segment());
        lane.orderAfter(out0);
        long back0 = lane.startUpload(regions[1].segment(), places[0]);
        backend.copy(regions[0], saved[2]);
        lane.startDownload(places[2], regions[0].segment());
        lane.orderAfter(back0);
        long back1 = lane.startUpload(regions[0].segment(), places[1]);
        backend.copy(seen[0], regions[1]);
        lane.orderAfter(back1);
        long back2 = lane.startUpload(regions[1].segment(), places[2]);
        backend.copy(seen[1], regions[0]);
        lane.orderAfter(back2);
        backend.copy(seen[2], regions[1]);
    }

    private boolean isRight() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(BYTES);
            MemorySegment expected = arena.allocate(BYTES);
            for (int i = 0; i < MICRO_BATCHES; i++) {
                copies.download(found, seen[i].segment());
                copies.download(expected, saved[i].segment());
                if (found.mismatch(expected) >= 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /** In the leanest of some rounds: the JVM itself allocates a little now and then. */
    private long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < STEPS; i++) {
                step();
                copies.finish();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }

    private void close() {
        lane.close();
        host.close();
        device.close();
        backend.close();
    }
}
