package io.penstock.engine.execution;

/** When each instruction of a rank's last step started and ended, by {@link System#nanoTime}; overwritten by every step, allocated once. */
public final class InstructionTimes {
    private final long[] startNs;
    private final long[] endNs;

    InstructionTimes(int instructions) {
        startNs = new long[instructions];
        endNs = new long[instructions];
    }

    void started(int instruction) {
        startNs[instruction] = System.nanoTime();
    }

    void ended(int instruction) {
        endNs[instruction] = System.nanoTime();
    }

    /** Of the i-th instruction, nanoseconds on this machine's clock. */
    public long[] startNs() {
        return startNs.clone();
    }

    public long[] endNs() {
        return endNs.clone();
    }
}
