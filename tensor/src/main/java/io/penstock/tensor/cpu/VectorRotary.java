package io.penstock.tensor.cpu;

import jdk.incubator.vector.FloatVector;

/** The loop of {@link Rotary} over one head. */
final class VectorRotary {
    private VectorRotary() {}

    /** Overwrites y with the {@code pairs} (x[h], x[h + pairs]) turned; y may be x. */
    static void rotate(long y, long x, long cosines, long sines, long pairs) {
        long apart = 4 * pairs;
        long bound = Lanes.bound(pairs);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector first = Lanes.loadF32(x + 4 * i);
            FloatVector second = Lanes.loadF32(x + apart + 4 * i);
            FloatVector cosine = Lanes.loadF32(cosines + 4 * i);
            FloatVector sine = Lanes.loadF32(sines + 4 * i);
            Lanes.storeF32(y + 4 * i, first.mul(cosine).sub(second.mul(sine)));
            Lanes.storeF32(y + apart + 4 * i, second.mul(cosine).add(first.mul(sine)));
        }
        for (long i = bound; i < pairs; i++) {
            float first = Lanes.getF32(x, i);
            float second = Lanes.getF32(x + apart, i);
            float cosine = Lanes.getF32(cosines, i);
            float sine = Lanes.getF32(sines, i);
            Lanes.putF32(y, i, first * cosine - second * sine);
            Lanes.putF32(y + apart, i, second * cosine + first * sine);
        }
    }
}
