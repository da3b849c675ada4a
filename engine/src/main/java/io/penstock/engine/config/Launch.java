package io.penstock.engine.config;

/** How ranks come to be: all in this JVM, a process each, or started by an outside launcher. */
public enum Launch {
    THREADS("threads"),
    PROCESSES("processes"),
    ENVIRONMENT("environment");

    private final String word;

    Launch(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
