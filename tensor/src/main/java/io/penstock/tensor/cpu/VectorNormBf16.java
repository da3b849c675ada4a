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
     * The order in which {@link #normalize}, {@link #sums}, {@link #gradient} and their kin have a gain, a bias and their gradients: of every two vectors the even elements first,
     * then the odd ones; as it was after the last such pair.
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

    /** The reverse of {@link #split}. */
    static void unsplit(long y, long x, long n) {
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                Lanes.putF32(y, i + 2L * lane, Lanes.getF32(x, i + lane));
                Lanes.putF32(y, i + 2L * lane + 1, Lanes.getF32(x, i + Lanes.COUNT + lane));
            }
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(x, i));
        }
    }

    /** Gain and bias in the order of {@link #split}. (x - mean) rstd is taken as x rstd - mean rstd, which loses about what rounding the mean has lost. */
    static void normalize(long y, long x, float mean, float rstd, long gain, long bias, long n) {
        float shift = -mean * rstd;
        FloatVector shifts = FloatVector.broadcast(Lanes.FLOATS, shift);
        FloatVector rstds = FloatVector.broadcast(Lanes.FLOATS, rstd);
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector pairs = Lanes.loadPairs(x + 2 * i);
            FloatVector even = Lanes.even(pairs).fma(rstds, shifts);
            FloatVector odd = Lanes.odd(pairs).fma(rstds, shifts);
            long g = gain + 4 * i;
            long b = bias + 4 * i;
            Lanes.storePairs(
                    y + 2 * i,
                    even.fma(Lanes.loadF32(g), Lanes.loadF32(b)),
                    odd.fma(Lanes.loadF32(g + 4L * Lanes.COUNT), Lanes.loadF32(b + 4L * Lanes.COUNT)));
        }
        for (long i = bound; i < n; i++) {
            float hat = Math.fma(Lanes.getBf16(x, i), rstd, shift);
            Lanes.putBf16(y, i, Math.fma(hat, Lanes.getF32(gain, i), Lanes.getF32(bias, i)));
        }
    }

    /** As {@link VectorNorm#sums}, all in the order of {@link #split}. */
    static void sums(long dgain, long dbias, long dy, long x, long gain, float mean, float rstd, long n, long lanes) {
        FloatVector sumG0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sumG1 = sumG0;
        FloatVector sumGh0 = sumG0;
        FloatVector sumGh1 = sumG0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            IntVector gradients = Lanes.loadPairs(dy + 2 * i);
            IntVector values = Lanes.loadPairs(x + 2 * i);
            long even = 4 * i;
            long odd = even + 4L * Lanes.COUNT;
            FloatVector d0 = Lanes.even(gradients);
            FloatVector d1 = Lanes.odd(gradients);
            FloatVector h0 = Lanes.even(values).sub(mean).mul(rstd);
            FloatVector h1 = Lanes.odd(values).sub(mean).mul(rstd);
            FloatVector g0 = d0.mul(Lanes.loadF32(gain + even));
            FloatVector g1 = d1.mul(Lanes.loadF32(gain + odd));
            sumG0 = sumG0.add(g0);
            sumG1 = sumG1.add(g1);
            sumGh0 = g0.fma(h0, sumGh0);
            sumGh1 = g1.fma(h1, sumGh1);
            Lanes.storeF32(dgain + even, d0.fma(h0, Lanes.loadF32(dgain + even)));
            Lanes.storeF32(dgain + odd, d1.fma(h1, Lanes.loadF32(dgain + odd)));
            Lanes.storeF32(dbias + even, Lanes.loadF32(dbias + even).add(d0));
            Lanes.storeF32(dbias + odd, Lanes.loadF32(dbias + odd).add(d1));
        }
        Lanes.storeF32(lanes, sumG0.add(sumG1));
        Lanes.storeF32(lanes + 64, sumGh0.add(sumGh1));
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

    /** dx = rstd g + slope x + (offset - slope mean) with g = dy gain; gain in the order of {@link #split}. */
    static void gradient(
            long dx, long dy, long x, long gain, float mean, float rstd, float slope, float offset, long n) {
        float shift = Math.fma(-slope, mean, offset);
        FloatVector shifts = FloatVector.broadcast(Lanes.FLOATS, shift);
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
                    even.fma(rstds, Lanes.even(values).fma(slopes, shifts)),
                    odd.fma(rstds, Lanes.odd(values).fma(slopes, shifts)));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getBf16(dy, i) * Lanes.getF32(gain, i);
            Lanes.putBf16(dx, i, Math.fma(g, rstd, Math.fma(Lanes.getBf16(x, i), slope, shift)));
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
        float shift = Math.fma(-slope, mean, offset);
        FloatVector shifts = FloatVector.broadcast(Lanes.FLOATS, shift);
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
            even = even.fma(rstds, Lanes.even(values).fma(slopes, shifts));
            odd = odd.fma(rstds, Lanes.odd(values).fma(slopes, shifts));
            Lanes.storePairs(dx + 2 * i, even.add(Lanes.even(skips)), odd.add(Lanes.odd(skips)));
        }
        gradientAndResidualRest(dx, dresidual, dy, x, gain, rstd, slope, shift, bound, n);
    }

    private static void gradientAndResidualRest(
            long dx,
            long dresidual,
            long dy,
            long x,
            long gain,
            float rstd,
            float slope,
            float shift,
            long from,
            long n) {
        for (long i = from; i < n; i++) {
            float g = Lanes.getBf16(dy, i) * Lanes.getF32(gain, i);
            float through = Math.fma(Lanes.getBf16(x, i), slope, shift);
            Lanes.putBf16(dx, i, Math.fma(g, rstd, through) + Lanes.getBf16(dresidual, i));
        }
    }
}
