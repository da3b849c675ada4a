package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** The loops of RMS norm over one row, for F32 and for BF16, beside those of {@link VectorNorm} that serve with a mean of 0. */
final class VectorRms {
    private VectorRms() {}

    static void normalize(long y, long x, float rstd, long gain, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector hat = Lanes.loadF32(x + 4 * i).mul(rstd);
            Lanes.storeF32(y + 4 * i, hat.mul(Lanes.loadF32(gain + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(x, i) * rstd * Lanes.getF32(gain, i));
        }
    }

    /** Gain in the order of {@link VectorNormBf16#split}. */
    static void normalizeBf16(long y, long x, float rstd, long gain, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector pairs = Lanes.loadPairs(x + 2 * i);
            FloatVector even = Lanes.even(pairs).mul(rstd).mul(Lanes.loadF32(gain + 4 * i));
            FloatVector odd = Lanes.odd(pairs).mul(rstd).mul(Lanes.loadF32(gain + 4 * i + 4L * Lanes.COUNT));
            Lanes.storePairs(y + 2 * i, even, odd);
        }
        for (long i = bound; i < n; i++) {
            Lanes.putBf16(y, i, Lanes.getBf16(x, i) * rstd * Lanes.getF32(gain, i));
        }
    }

    /** Adds dy h to dgain; returns sum(dy gain h), h = x rstd. */
    static float sums(long dgain, long dy, long x, long gain, float rstd, long n, long lanes) {
        FloatVector sum = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.loadF32(dy + 4 * i);
            FloatVector h = Lanes.loadF32(x + 4 * i).mul(rstd);
            sum = d.mul(Lanes.loadF32(gain + 4 * i)).fma(h, sum);
            Lanes.storeF32(dgain + 4 * i, d.fma(h, Lanes.loadF32(dgain + 4 * i)));
        }
        Lanes.storeF32(lanes, sum);
        float total = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            float d = Lanes.getF32(dy, i);
            float h = Lanes.getF32(x, i) * rstd;
            total = Math.fma(d * Lanes.getF32(gain, i), h, total);
            Lanes.putF32(dgain, i, Math.fma(d, h, Lanes.getF32(dgain, i)));
        }
        return total;
    }

    /** As {@link #sums}, of BF16; gain and dgain in the order of {@link VectorNormBf16#split}. */
    static float sumsBf16(long dgain, long dy, long x, long gain, float rstd, long n, long lanes) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector gradients = Lanes.loadPairs(dy + 2 * i);
            IntVector values = Lanes.loadPairs(x + 2 * i);
            long even = 4 * i;
            long odd = even + 4L * Lanes.COUNT;
            FloatVector d0 = Lanes.even(gradients);
            FloatVector d1 = Lanes.odd(gradients);
            FloatVector h0 = Lanes.even(values).mul(rstd);
            FloatVector h1 = Lanes.odd(values).mul(rstd);
            sum0 = d0.mul(Lanes.loadF32(gain + even)).fma(h0, sum0);
            sum1 = d1.mul(Lanes.loadF32(gain + odd)).fma(h1, sum1);
            Lanes.storeF32(dgain + even, d0.fma(h0, Lanes.loadF32(dgain + even)));
            Lanes.storeF32(dgain + odd, d1.fma(h1, Lanes.loadF32(dgain + odd)));
        }
        Lanes.storeF32(lanes, sum0.add(sum1));
        float total = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            float d = Lanes.getBf16(dy, i);
            float h = Lanes.getBf16(x, i) * rstd;
            total = Math.fma(d * Lanes.getF32(gain, i), h, total);
            Lanes.putF32(dgain, i, Math.fma(d, h, Lanes.getF32(dgain, i)));
        }
        return total;
    }
}
