package io.penstock.models;

import io.penstock.tensor.Tensor;
import java.nio.charset.StandardCharsets;

/**
 * First values of parameters. Element i of a whole parameter is a function of (seed, name, i) alone, so a parameter starts the same whatever the layout, the
 * order of filling or the part of it that a rank holds. Plain IEEE arithmetic and {@link StrictMath}: the same bits on every machine.
 */
public final class ParameterInitializer {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private ParameterInitializer() {}

    /** Overwrites {@code parameter}, host memory of any dtype, with all that {@code spec} describes. */
    public static void fill(Tensor parameter, ParameterSpec spec, long seed) {
        if (parameter.elements() != spec.shape().elements()) {
            throw new IllegalStateException(
                    spec.name() + " " + spec.shape() + " does not fit a tensor " + parameter.shape());
        }
        fill(parameter, spec, seed, 0);
    }

    /** Overwrites {@code part} with elements {@code first .. first + part.elements() - 1} of what {@code spec} describes, in row-major order. */
    public static void fill(Tensor part, ParameterSpec spec, long seed, long first) {
        if (first < 0 || first + part.elements() > spec.shape().elements()) {
            throw new IllegalStateException(
                    "elements " + first + "+" + part.elements() + " of " + spec.name() + " " + spec.shape());
        }
        switch (spec.initialization()) {
            case Initialization.Constant(double value) -> {
                for (long i = 0; i < part.elements(); i++) {
                    part.set(i, value);
                }
            }
            case Initialization.Normal(double standardDeviation) -> {
                long stream = stream(seed, spec.name());
                for (long i = 0; i < part.elements(); i++) {
                    part.set(
                            i,
                            standardDeviation
                                    * NormalQuantile.of(
                                            uniform(stream, spec.distribution().wholeIndex(first + i))));
                }
            }
        }
    }

    /** FNV-1a of the name, mixed with the seed. */
    private static long stream(long seed, String name) {
        long hash = FNV_OFFSET;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * FNV_PRIME;
        }
        return mix(mix(seed + GOLDEN_GAMMA) ^ hash);
    }

    /** In (0, 1), both ends excluded: the middles of 2^52 intervals. */
    private static double uniform(long stream, long index) {
        return ((mix(stream + (index + 1) * GOLDEN_GAMMA) >>> 12) + 0.5) * 0x1p-52;
    }

    /** Stafford's variant 13 of the 64-bit finalizer, as in SplitMix64 (Steele, Lea and Flood 2014). */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
