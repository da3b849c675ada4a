package io.penstock.transport;

/**
 * What a message carries. Messages between two ranks keep their order within a lane; lanes do not wait for each other, so that a
 * gradient never queues behind an activation whose receive is not posted yet.
 */
public enum Kind {
    ACTIVATION(0, 0),
    GRADIENT(1, 1),
    TIED_GRADIENT(2, 1),
    COLLECTIVE(3, 2),
    CONTROL(4, 3);

    static final int LANES = 4;
    private static final Kind[] VALUES = values();

    private final int wire;
    private final int lane;

    Kind(int wire, int lane) {
        this.wire = wire;
        this.lane = lane;
    }

    /** Kinds of one lane share one ordered stream from one rank to another. */
    public int lane() {
        return lane;
    }

    /** Its number in a frame. */
    int wire() {
        return wire;
    }

    /** The name of a kind found on the wire, also of one that this version does not know. */
    static String nameOf(int wireKind) {
        for (Kind kind : VALUES) {
            if (kind.wire == wireKind) {
                return kind.name();
            }
        }
        return "kind " + wireKind;
    }
}
