package io.penstock.engine.config;

/** What offloaded state is kept in. */
public enum OffloadStoreKind {
    FILES("files"),
    CHRONICLE_MAP("chronicle-map"),
    HOST("host");

    private final String word;

    OffloadStoreKind(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
