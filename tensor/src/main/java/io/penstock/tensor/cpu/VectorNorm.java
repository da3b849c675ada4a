package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loops of layer norm over one row: C columns of F32. */
final class VectorNorm {
    private VectorNorm() {}

    static float squares(long x, float mean, long n, long lanes) {
        FloatVector total = FloatVector.zero(Lanes.FLOATS);
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector d = Lanes.loadF32(x + 4 * i).sub(mean);
            total = d.fma(d, total);
        }
        total.intoMemorySegment(Lanes.ALL, lanes, Lanes.ORDER);
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

    static void gradient(
            long dx, long dy, long x, long gain, float mean, float rstd, float meanG, float meanGh, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector h = Lanes.loadF32(x + 4 * i).sub(mean).mul(rstd);
            FloatVector g = Lanes.loadF32(dy + 4 * i).mul(Lanes.loadF32(gain + 4 * i));
            Lanes.storeF32(dx + 4 * i, g.sub(meanG).sub(h.mul(meanGh)).mul(rstd));
        }
        for (long i = bound; i < n; i++) {
            float h = (Lanes.getF32(x, i) - mean) * rstd;
            float g = Lanes.getF32(dy, i) * Lanes.getF32(gain, i);
            Lanes.putF32(dx, i, (g - meanG - h * meanGh) * rstd);
        }
    }
}
