package io.penstock.tensor;

/** What an operation does to its output. */
public enum Write {
    OVERWRITE,
    /** Adds to what is there (+=). */
    ACCUMULATE
}
