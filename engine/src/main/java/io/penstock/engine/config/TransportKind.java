package io.penstock.engine.config;

/** What carries bytes between ranks; {@code auto} takes memory inside a process, Aeron IPC inside a host, Aeron UDP else. */
public enum TransportKind {
    AUTO("auto"),
    AERON_IPC("aeron:ipc"),
    AERON_UDP("aeron:udp"),
    MEMORY("memory");

    private final String word;

    TransportKind(String word) {
        this.word = word;
    }

    /** Whether ranks in one process then send through its memory. */
    public boolean reachesThroughMemory() {
        return this == AUTO || this == MEMORY;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
