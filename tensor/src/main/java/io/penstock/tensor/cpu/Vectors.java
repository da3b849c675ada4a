package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** Plain loops over F32 in memory, addresses absolute: what several operations share. Outputs may be one of the inputs. */
final class Vectors {
    private Vectors() {}

    /** y = a + b. */
    static void add(long y, long a, long b, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(a + 4 * i).add(Lanes.loadF32(b + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(a, i) + Lanes.getF32(b, i));
        }
    }

    /** y += x and z += x, which is read once. */
    static void addToBoth(long y, long z, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector addend = Lanes.loadF32(x + 4 * i);
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(y + 4 * i).add(addend));
            Lanes.storeF32(z + 4 * i, Lanes.loadF32(z + 4 * i).add(addend));
        }
        for (long i = bound; i < n; i++) {
            float addend = Lanes.getF32(x, i);
            Lanes.putF32(y, i, Lanes.getF32(y, i) + addend);
            Lanes.putF32(z, i, Lanes.getF32(z, i) + addend);
        }
    }

    /** y = x * factor. */
    static void scale(long y, long x, float factor, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(x + 4 * i).mul(factor));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(x, i) * factor);
        }
    }

    /** y = 0. */
    static void zero(long y, long n) {
        long bound = Lanes.bound(n);
        FloatVector zero = FloatVector.zero(Lanes.FLOATS);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            zero.intoMemorySegment(Lanes.ALL, y + 4 * i, Lanes.ORDER);
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, 0);
        }
    }

    /** {@code lanes} is room for one vector. */
    static float dot(long x, long y, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            total = Lanes.loadF32(x + 4 * i).fma(Lanes.loadF32(y + 4 * i), total);
        }
        total.intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum = Math.fma(Lanes.getF32(x, i), Lanes.getF32(y, i), sum);
        }
        return sum;
    }
}
