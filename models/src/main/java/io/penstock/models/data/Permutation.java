package io.penstock.models.data;

/**
 * A permutation of 0 .. size-1 that needs no memory: four rounds of a Feistel network over the next even number of bits, walked until the image lies
 * below size (Black and Rogaway 2002). A function of (size, key) alone.
 */
record Permutation(long size, long key) {
    private static final int ROUNDS = 4;

    Permutation {
        if (size < 1) {
            throw new IllegalArgumentException("permutation of " + size);
        }
    }

    /** Where {@code index} goes. Expected walks: below four. */
    long of(long index) {
        int bits = Math.max(2, Long.SIZE - Long.numberOfLeadingZeros(size - 1));
        int half = (bits + 1) / 2;
        long mask = (1L << half) - 1;
        long x = index;
        do {
            long left = x >>> half;
            long right = x & mask;
            for (int round = 0; round < ROUNDS; round++) {
                long next = left ^ (Hashing.of(key + round, right) & mask);
                left = right;
                right = next;
            }
            x = (left << half) | right;
        } while (x >= size);
        return x;
    }
}
