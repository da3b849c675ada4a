package io.penstock.tensor.cpu;

/** Cosine and sine in F32, by our polynomials of fma: the same bits compiled or not, on every machine. */
final class Angles {
    /** sin(2 pi s) = s (S0 + S1 s^2 + ...) and cos(2 pi s) = 1 + C1 s^2 + ... for |s| <= 1/8, of the least largest error: 3e-9 and 1e-10 before rounding. */
    private static final float S0 = 6.2831855f;

    private static final float S1 = -41.341663f;
    private static final float S2 = 81.592354f;
    private static final float S3 = -75.39356f;
    private static final float C1 = -19.739208f;
    private static final float C2 = 64.93932f;
    private static final float C3 = -85.44374f;
    private static final float C4 = 59.245964f;

    private Angles() {}

    /** Of {@code position * turns[h]} whole turns, backwards if {@code back}, for every h. The part of a turn is taken in double: it is good for any position. */
    static void find(long cosines, long sines, double[] turns, long position, boolean back) {
        for (int h = 0; h < turns.length; h++) {
            double turn = position * turns[h];
            turn -= Math.rint(turn);
            double quarter = Math.rint(4 * turn);
            float s = (float) (turn - quarter / 4);
            float squared = s * s;
            float sine = s * Math.fma(squared, Math.fma(squared, Math.fma(squared, S3, S2), S1), S0);
            float cosine =
                    Math.fma(squared, Math.fma(squared, Math.fma(squared, Math.fma(squared, C4, C3), C2), C1), 1f);
            int quarters = (int) quarter & 3;
            boolean swapped = (quarters & 1) != 0;
            float c = swapped ? sine : cosine;
            float d = swapped ? cosine : sine;
            Lanes.putF32(cosines, h, quarters == 1 || quarters == 2 ? -c : c);
            Lanes.putF32(sines, h, quarters >= 2 != back ? -d : d);
        }
    }
}
