package io.penstock.engine.execution;

/** Which of its activation slots a micro-batch has. */
final class ActivationSlots {
    private final int count;
    private final boolean inTurn;
    private int current;

    private ActivationSlots(int count, boolean inTurn) {
        this.count = count;
        this.inTurn = inTurn;
    }

    /** Micro-batch i keeps slot i mod {@code count} from its forward to its backward. */
    static ActivationSlots kept(int count) {
        return new ActivationSlots(count, false);
    }

    /** All that is computed uses the slot that {@link #use} said last. */
    static ActivationSlots inTurn(int count) {
        return new ActivationSlots(count, true);
    }

    int count() {
        return count;
    }

    /** Whether a slot is a micro-batch's for the time of a visit only. */
    boolean inTurn() {
        return inTurn;
    }

    void use(int slot) {
        current = slot;
    }

    int of(int microBatch) {
        return inTurn ? current : microBatch % count;
    }
}
