package io.penstock.tensor.cpu;

/** Loops over F16 in memory; what is not here goes through F32 by {@link Halves}: two conversions are as much as C2 inlines into a loop. */
final class VectorF16 {
    private VectorF16() {}

    /** y (F32) = x (F16). */
    static void widen(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Lanes.loadF16(x + 2 * i));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF16(x, i));
        }
    }

    /** y (F16) = x (F32), rounded to nearest even. They may start at the same address. */
    static void narrow(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF16(y + 2 * i, Lanes.loadF32(x + 4 * i));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF16(y, i, Lanes.getF32(x, i));
        }
    }

    /** y (F32) += x (F16). */
    static void addTo(long y, long x, long n) {
        long bound = Lanes.bound(n);
        for (long i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.storeF32(y + 4 * i, Lanes.loadF32(y + 4 * i).add(Lanes.loadF16(x + 2 * i)));
        }
        for (long i = bound; i < n; i++) {
            Lanes.putF32(y, i, Lanes.getF32(y, i) + Lanes.getF16(x, i));
        }
    }
}
