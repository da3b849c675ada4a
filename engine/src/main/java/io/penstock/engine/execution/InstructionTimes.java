package io.penstock.engine.execution;

import io.penstock.tensor.DeviceClock;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When each instruction of a rank's last step started and ended, by {@link System#nanoTime}; overwritten by every step, allocated once. On a device that works while the host goes on
 * these are the times of the asking; those of the doing where it was {@linkplain #follow followed}.
 */
public final class InstructionTimes {
    private final long[] startNs;
    private final long[] endNs;
    private @Nullable DeviceClock device;

    InstructionTimes(int instructions) {
        startNs = new long[instructions];
        endNs = new long[instructions];
    }

    int instructions() {
        return startNs.length;
    }

    /** {@code clock}: of two stamps an instruction, borrowed. */
    void follow(DeviceClock clock) {
        device = clock;
    }

    void started(int instruction) {
        startNs[instruction] = System.nanoTime();
        if (device != null) {
            device.stamp(2 * instruction);
        }
    }

    void ended(int instruction) {
        if (device != null) {
            device.stamp(2 * instruction + 1);
        }
        endNs[instruction] = System.nanoTime();
    }

    /** Of the i-th instruction, nanoseconds on this machine's clock. */
    public long[] startNs() {
        return startNs.clone();
    }

    public long[] endNs() {
        return endNs.clone();
    }

    /** When the device did it, on the same clock; waits for it. Empty if it is not followed. */
    public Optional<InstructionTimes> onDevice() {
        if (device == null) {
            return Optional.empty();
        }
        long[] moments = device.readNs();
        InstructionTimes times = new InstructionTimes(startNs.length);
        for (int i = 0; i < startNs.length; i++) {
            times.startNs[i] = moments[2 * i];
            times.endNs[i] = moments[2 * i + 1];
        }
        return Optional.of(times);
    }
}
