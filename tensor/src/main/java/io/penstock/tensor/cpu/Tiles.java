package io.penstock.tensor.cpu;

/** An operation cut into independent pieces. */
@FunctionalInterface
interface Tiles {
    /** Computes one piece on the calling thread, which is number {@code thread} of the backend: index of its own workspace. */
    void run(int tile, int thread);
}
