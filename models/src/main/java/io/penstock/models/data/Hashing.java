package io.penstock.models.data;

import java.nio.charset.StandardCharsets;

/** Small fixed hashes: of (seed, name) and of (seed, number), the same on every machine and in every version. */
final class Hashing {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private Hashing() {}

    /** FNV-1a, mixed with the seed. */
    static long of(long seed, String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return of(seed, hash);
    }

    /** SplitMix64's finalizer, twice. */
    static long of(long seed, long number) {
        return mix(mix(seed + GOLDEN_GAMMA) + number * GOLDEN_GAMMA);
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
