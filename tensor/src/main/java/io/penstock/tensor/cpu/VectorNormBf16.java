package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** The loops of layer norm over one row of BF16: {@link VectorNorm} with the conversions in the loops, since the row is in the first cache already. */
final class VectorNormBf16 {
    private VectorNormBf16() {}

    /** Sum of x; by four vectors, each of which waits for its last. */
    static float sum(long x, long n, long lanes) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        long bound = n & -4L * Lanes.COUNT;
        for (long i = 0; i < bound; i += 4L * Lanes.COUNT) {
            IntVector first = Lanes.loadPairs(x + 2 * i);
            IntVector second = Lanes.loadPairs(x + 2 * i + 4L * Lanes.COUNT);
            sum0 = sum0.add(Lanes.even(first));
            sum1 = sum1.add(Lanes.odd(first));
            sum2 = sum2.add(Lanes.even(second));
            sum3 = sum3.add(Lanes.odd(second));
        }
        Lanes.storeF32(lanes, sum0.add(sum1).add(sum2.add(sum3)));
        return sumRest(x, bound, n, Lanes.foldF32(lanes));
    }

    private static float sumRest(long x, long from, long n, float start) {
        float sum = start;
        for (long i = from; i < n; i++) {
            sum += Lanes.getBf16(x, i);
        }
        return sum;
    }

    static float squares(long x, float mean, long n, long lanes) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        FloatVector means = FloatVector.broadcast(Lanes.FLOATS, mean);
        long bound = n & -4L * Lanes.COUNT;
        for (long i = 0; i < bound; i += 4L * Lanes.COUNT) {
            IntVector first = Lanes.loadPairs(x + 2 * i);
            IntVector second = Lanes.loadPairs(x + 2 * i + 4L * Lanes.COUNT);
            FloatVector d0 = Lanes.even(first).sub(means);
            FloatVector d1 = Lanes.odd(first).sub(means);
            FloatVector d2 = Lanes.even(second).sub(means);
            FloatVector d3 = Lanes.odd(second).sub(means);
            sum0 = d0.fma(d0, sum0);
            sum1 = d1.fma(d1, sum1);
            sum2 = d2.fma(d2, sum2);
            sum3 = d3.fma(d3, sum3);
        }
        Lanes.storeF32(lanes, sum0.add(sum1).add(sum2.add(sum3)));
        return squaresRest(x, mean, bound, n, Lanes.foldF32(lanes));
    }

    private static float squaresRest(long x, float mean, long from, long n, float start) {
        float sum = start;
        for (long i = from; i < n; i++) {
            float d = Lanes.getBf16(x, i) - mean;
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    /**
     * The order in which {@link #normalize}, {@link #gradient} and their kin read a gain or bias: of every two vectors the even elements first, then the odd ones; as it was after
     * the last such pair.
     */
    static void split(long y, long x, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                Lanes.putF32(y, i + lane, Lanes.getF32(x, i + 2L * lane));
                Lanes.putF32(y, i + Lanes.COUNT + lane, Lanes.getF32(x, i + 2L * lane + 1));
            }
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(x, i));
        }
    }

    /** Gain and bias in the order of {@link #split}. */
    static void normalize(long y, long x, float mean, float rstd, long gain, long bias, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector pairs = Lanes.loadPairs(x + 2 * i);
            FloatVector even = Lanes.even(pairs).sub(mean).mul(rstd);
            FloatVector odd = Lanes.odd(pairs).sub(mean).mul(rstd);
            long g = gain + 4 * i;
            long b = bias + 4 * i;
            Lanes.storePairs(
                    y + 2 * i,
                    even.fma(Lanes.loadF32(g), Lanes.loadF32(b)),
                    odd.fma(Lanes.loadF32(g + 4L * Lanes.COUNT), Lanes.loadF32(b + 4L * Lanes.COUNT)));
        }
        for (long i = bound; i < n; i++) {
            float hat = (Lanes.getBf16(x, i) - mean) * rstd;
            Lanes.putBf16(y, i, Math.fma(hat, Lanes.getF32(gain, i), Lanes.getF32(bias, i)));
        }
    }

    /** As {@link VectorNorm#sums}. */
    static void sums(long dgain, long dbias, long dy, long x, long gain, float mean, float rstd, long n, long lanes) {
        FloatVector sumG = FloatVector.zero(Lanes.FLOATS);
        FloatVector sumGh = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.loadBf16(dy + 2 * i);
            FloatVector h = Lanes.loadBf16(x + 2 * i).sub(mean).mul(rstd);
            FloatVector g = d.mul(Lanes.loadF32(gain + 4 * i));
            sumG = sumG.add(g);
            sumGh = g.fma(h, sumGh);
            Lanes.storeF32(dgain + 4 * i, d.fma(h, Lanes.loadF32(dgain + 4 * i)));
            Lanes.storeF32(dbias + 4 * i, Lanes.loadF32(dbias + 4 * i).add(d));
        }
        Lanes.storeF32(lanes, sumG);
        Lanes.storeF32(lanes + 64, sumGh);
        sumsRest(dgain, dbias, dy, x, gain, mean, rstd, bound, n, lanes);
    }

    private static void sumsRest(
            long dgain, long dbias, long dy, long x, long gain, float mean, float rstd, long from, long n, long lanes) {
        float totalG = Lanes.foldF32(lanes);
        float totalGh = Lanes.foldF32(lanes + 64);
        for (long i = from; i < n; i++) {
            float d = Lanes.getBf16(dy, i);
            float h = (Lanes.getBf16(x, i) - mean) * rstd;
            float g = d * Lanes.getF32(gain, i);
            totalG += g;
            totalGh = Math.fma(g, h, totalGh);
            Lanes.putF32(dgain, i, Math.fma(d, h, Lanes.getF32(dgain, i)));
            Lanes.putF32(dbias, i, Lanes.getF32(dbias, i) + d);
        }
        Lanes.putF32(lanes, 0, totalG);
        Lanes.putF32(lanes, 1, totalGh);
    }

    /** dx = rstd g + slope (x - mean) + offset with g = dy gain; gain in the order of {@link #split}. */
    static void gradient(
            long dx, long dy, long x, long gain, float mean, float rstd, float slope, float offset, long n) {
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector slopes = FloatVector.broadcast(Lanes.FLOATS, slope);
        FloatVector rstds = FloatVector.broadcast(Lanes.FLOATS, rstd);
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector values = Lanes.loadPairs(x + 2 * i);
            IntVector gradients = Lanes.loadPairs(dy + 2 * i);
            long g = gain + 4 * i;
            FloatVector even = Lanes.even(gradients).mul(Lanes.loadF32(g));
            FloatVector odd = Lanes.odd(gradients).mul(Lanes.loadF32(g + 4L * Lanes.COUNT));
            Lanes.storePairs(
                    dx + 2 * i,
                    even.fma(rstds, Lanes.even(values).sub(mean).fma(slopes, offsets)),
                    odd.fma(rstds, Lanes.odd(values).sub(mean).fma(slopes, offsets)));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getBf16(dy, i) * Lanes.getF32(gain, i);
            Lanes.putBf16(dx, i, Math.fma(g, rstd, Math.fma(Lanes.getBf16(x, i) - mean, slope, offset)));
        }
    }

    /** As {@link #gradient}, added to {@code dresidual} before it is rounded. */
    static void gradientAndResidual(
            long dx,
            long dresidual,
            long dy,
            long x,
            long gain,
            float mean,
            float rstd,
            float slope,
            float offset,
            long n) {
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        FloatVector slopes = FloatVector.broadcast(Lanes.FLOATS, slope);
        FloatVector rstds = FloatVector.broadcast(Lanes.FLOATS, rstd);
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector values = Lanes.loadPairs(x + 2 * i);
            IntVector gradients = Lanes.loadPairs(dy + 2 * i);
            IntVector skips = Lanes.loadPairs(dresidual + 2 * i);
            long g = gain + 4 * i;
            FloatVector even = Lanes.even(gradients).mul(Lanes.loadF32(g));
            FloatVector odd = Lanes.odd(gradients).mul(Lanes.loadF32(g + 4L * Lanes.COUNT));
            even = even.fma(rstds, Lanes.even(values).sub(mean).fma(slopes, offsets));
            odd = odd.fma(rstds, Lanes.odd(values).sub(mean).fma(slopes, offsets));
            Lanes.storePairs(dx + 2 * i, even.add(Lanes.even(skips)), odd.add(Lanes.odd(skips)));
        }
        gradientAndResidualRest(dx, dresidual, dy, x, gain, mean, rstd, slope, offset, bound, n);
    }

    private static void gradientAndResidualRest(
            long dx,
            long dresidual,
            long dy,
            long x,
            long gain,
            float mean,
            float rstd,
            float slope,
            float offset,
            long from,
            long n) {
        for (long i = from; i < n; i++) {
            float g = Lanes.getBf16(dy, i) * Lanes.getF32(gain, i);
            float through = Math.fma(Lanes.getBf16(x, i) - mean, slope, offset);
            Lanes.putBf16(dx, i, Math.fma(g, rstd, through) + Lanes.getBf16(dresidual, i));
        }
    }
}
