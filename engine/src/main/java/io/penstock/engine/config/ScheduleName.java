package io.penstock.engine.config;

/** The pipeline schedules. */
public enum ScheduleName {
    GPIPE("gpipe"),
    ONE_F_ONE_B("1f1b"),
    INTERLEAVED("interleaved-1f1b"),
    ZB_H1("zb-h1"),
    ZB_V("zb-v");

    private final String word;

    ScheduleName(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
