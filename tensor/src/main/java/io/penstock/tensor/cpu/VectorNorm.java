package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of layer norm over one row: C columns of F32. */
final class VectorNorm {
    private VectorNorm() {}

    static float sum(long x, long n, long lanes) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            sum0 = sum0.add(Lanes.loadF32(x + 4 * i));
            sum1 = sum1.add(Lanes.loadF32(x + 4 * (i + Lanes.COUNT)));
        }
        Lanes.storeF32(lanes, sum0.add(sum1));
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            sum += Lanes.getF32(x, i);
        }
        return sum;
    }

    static float squares(long x, float mean, long n, long lanes) {
        FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
        FloatVector sum1 = sum0;
        long bound = Lanes.pairBound(n);
        for (long i = 0; i < bound; i += 2L * Lanes.COUNT) {
            FloatVector d0 = Lanes.loadF32(x + 4 * i).sub(mean);
            FloatVector d1 = Lanes.loadF32(x + 4 * (i + Lanes.COUNT)).sub(mean);
            sum0 = d0.fma(d0, sum0);
            sum1 = d1.fma(d1, sum1);
        }
        Lanes.storeF32(lanes, sum0.add(sum1));
        float sum = Lanes.foldF32(lanes);
        for (long i = bound; i < n; i++) {
            float d = Lanes.getF32(x, i) - mean;
            sum = Math.fma(d, d, sum);
        }
        return sum;
    }

    static void normalize(long y, long x, float mean, float rstd, long gain, long bias, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector hat = Lanes.loadF32(x + 4 * i).sub(mean).mul(rstd);
            Lanes.storeF32(y + 4 * i, hat.fma(Lanes.loadF32(gain + 4 * i), Lanes.loadF32(bias + 4 * i)));
        }
        for (long i = bound; i < n; i++) {
            float hat = (Lanes.getF32(x, i) - mean) * rstd;
            Lanes.putF32(y, i, Math.fma(hat, Lanes.getF32(gain, i), Lanes.getF32(bias, i)));
        }
    }

    /** Adds to dgain and dbias; leaves sum(g) and sum(g h) as the first two floats at {@code lanes}. */
    static void sums(long dgain, long dbias, long dy, long x, long gain, float mean, float rstd, long n, long lanes) {
        FloatVector sumG = FloatVector.zero(Lanes.FLOATS);
        FloatVector sumGh = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.loadF32(dy + 4 * i);
            FloatVector h = Lanes.loadF32(x + 4 * i).sub(mean).mul(rstd);
            FloatVector g = d.mul(Lanes.loadF32(gain + 4 * i));
            sumG = sumG.add(g);
            sumGh = g.fma(h, sumGh);
            Lanes.storeF32(dgain + 4 * i, d.fma(h, Lanes.loadF32(dgain + 4 * i)));
            Lanes.storeF32(dbias + 4 * i, Lanes.loadF32(dbias + 4 * i).add(d));
        }
        sumG.intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
        sumGh.intoMemorySegment(Lanes.ALL, lanes + 64, Lanes.ORDER);
        float totalG = Lanes.foldF32(lanes);
        float totalGh = Lanes.foldF32(lanes + 64);
        for (long i = bound; i < n; i++) {
            float d = Lanes.getF32(dy, i);
            float h = (Lanes.getF32(x, i) - mean) * rstd;
            float g = d * Lanes.getF32(gain, i);
            totalG += g;
            totalGh = Math.fma(g, h, totalGh);
            Lanes.putF32(dgain, i, Math.fma(d, h, Lanes.getF32(dgain, i)));
            Lanes.putF32(dbias, i, Lanes.getF32(dbias, i) + d);
        }
        Lanes.putF32(lanes, 0, totalG);
        Lanes.putF32(lanes, 1, totalGh);
    }

    /** dx = rstd g + slope (x - mean) + offset with g = dy gain. */
    static void gradient(
            long dx, long dy, long x, long gain, float mean, float rstd, float slope, float offset, long n) {
        FloatVector offsets = FloatVector.broadcast(Lanes.FLOATS, offset);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector g = Lanes.loadF32(dy + 4 * i).mul(Lanes.loadF32(gain + 4 * i));
            FloatVector through =
                    Lanes.loadF32(x + 4 * i).sub(mean).fma(FloatVector.broadcast(Lanes.FLOATS, slope), offsets);
            Lanes.storeF32(dx + 4 * i, g.fma(FloatVector.broadcast(Lanes.FLOATS, rstd), through));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getF32(dy, i) * Lanes.getF32(gain, i);
            Lanes.putF32(dx, i, Math.fma(g, rstd, Math.fma(Lanes.getF32(x, i) - mean, slope, offset)));
        }
    }

    /** As {@link #gradient}, added to {@code dresidual}. */
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
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector g = Lanes.loadF32(dy + 4 * i).mul(Lanes.loadF32(gain + 4 * i));
            FloatVector through =
                    Lanes.loadF32(x + 4 * i).sub(mean).fma(FloatVector.broadcast(Lanes.FLOATS, slope), offsets);
            FloatVector skip = Lanes.loadF32(dresidual + 4 * i);
            Lanes.storeF32(
                    dx + 4 * i,
                    g.fma(FloatVector.broadcast(Lanes.FLOATS, rstd), through).add(skip));
        }
        for (long i = bound; i < n; i++) {
            float g = Lanes.getF32(dy, i) * Lanes.getF32(gain, i);
            float through = Math.fma(Lanes.getF32(x, i) - mean, slope, offset);
            Lanes.putF32(dx, i, Math.fma(g, rstd, through) + Lanes.getF32(dresidual, i));
        }
    }
}
