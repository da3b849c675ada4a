package io.penstock.jmh;

/**
 * A benchmark of several processes, which JMH cannot fork: listed, chosen by pattern and run by {@link Main} like those of JMH, with its
 * class name as name. Prints a table in Markdown with its peers beside it.
 */
public interface Standalone {
    /** Measures everything so many times, the peers in each trial; prints medians. */
    void run(int trials) throws Exception;

    default String name() {
        return getClass().getName();
    }
}
