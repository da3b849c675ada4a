package io.penstock.tensor.cpu;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * Has C2 compile the vector loops once in a process, before the first step: until then a loop of the Vector API is a hundred times slower, and one compiled in
 * the middle of its first, long row, as the loss's are, has not seen its own end and keeps vectors as objects. The flags of {@code jvm.properties} make
 * some hundred calls enough, make them wait for the compiler, and let it use what these calls have shown of the vectors' classes (by default it believes a
 * method's profile only after 1,000 calls, and without it some vectors stay objects for good); without these flags the calls only cost a second.
 */
final class WarmUp {
    private static final boolean INTERPRETED =
            System.getProperty("java.vm.info", "").startsWith("interpreted mode");
    private static final int CALLS = 120;

    /** While a loop makes objects, for it is not compiled yet where others wait for the compiler too; no more, for without the flags it may do so for good. */
    private static final int ROUNDS = 5;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** A row with whole groups of vectors, single vectors and a rest. */
    private static final int VECTORS = 39;

    private static final long N = (long) VECTORS * Lanes.COUNT + 3;
    private static final long ROW_BYTES = 4L * (VECTORS + 2) * 16;

    private static final class Once {
        static final int LEFT;

        static {
            try (Workspace workspace = new Workspace(1)) {
                LEFT = new WarmUp().compile(workspace.area(0), workspace.lanes(0));
            }
        }

        private Once() {}
    }

    private int left;

    private WarmUp() {}

    /** Returns when the loops are compiled: at once after the first time, where the JVM never compiles, and where {@code -Dpenstock.warm.up=false} leaves them to be compiled when used. */
    static void await() {
        if (isWanted()) {
            left();
        }
    }

    private static boolean isWanted() {
        return !INTERPRETED && !"false".equals(System.getProperty("penstock.warm.up"));
    }

    /** What a user should know of it: usually nothing. */
    static String remark() {
        return isWanted() ? remark(left()) : "";
    }

    static String remark(int left) {
        return left == 0 ? "" : ", " + left + " slow loops: start java with the flags of jvm.properties";
    }

    /** Has the loops compiled if they are not yet, and counts those that still make objects: none, with the flags. */
    static int left() {
        return Once.LEFT;
    }

    /** One kernel after the other: each is compiled while the others still wait. All numbers are 0, or 1 where they divide. */
    private int compile(long area, long lanes) {
        long a = area;
        long b = a + ROW_BYTES;
        long c = b + ROW_BYTES;
        long d = c + ROW_BYTES;
        long e = d + ROW_BYTES;
        int whole = VECTORS * Lanes.COUNT;
        VectorAdamW.Rates rates = new VectorAdamW.Rates();
        rates.correction2 = 1;
        rates.eps = 1;
        repeat(() -> Vectors.zero(a, N));
        repeat(() -> Vectors.add(a, b, c, N));
        repeat(() -> Vectors.addToBoth(a, b, c, N));
        repeat(() -> Vectors.scale(a, b, 0.5f, N));
        repeat(() -> Vectors.dot(a, b, N, lanes));
        repeat(() -> VectorBf16.widen(a, b, N));
        repeat(() -> VectorBf16.narrow(a, b, N));
        repeat(() -> VectorBf16.add(a, b, c, N));
        repeat(() -> VectorBf16.addTo(a, b, N));
        repeat(() -> VectorBf16.addToBoth(a, b, c, N));
        repeat(() -> VectorBf16.addFour(a, b, 0, N));
        repeat(() -> VectorF16.widen(a, b, N));
        repeat(() -> VectorF16.narrow(a, b, N));
        repeat(() -> VectorF16.addTo(a, b, N));
        repeat(() -> VectorNorm.sum(a, N, lanes));
        repeat(() -> VectorNorm.squares(a, 0, N, lanes));
        repeat(() -> VectorNorm.normalize(a, b, 0, 1, c, d, N));
        repeat(() -> VectorNorm.sums(a, b, c, d, e, 0, 1, N, lanes));
        repeat(() -> VectorNorm.gradient(a, b, c, d, 0, 1, 0, 0, N));
        repeat(() -> VectorNorm.gradientAndResidual(a, b, c, d, e, 0, 1, 0, 0, N));
        repeat(() -> VectorNormBf16.sum(a, N, lanes));
        repeat(() -> VectorNormBf16.squares(a, 0, N, lanes));
        repeat(() -> VectorNormBf16.split(a, b, N));
        repeat(() -> VectorNormBf16.unsplit(a, b, N));
        repeat(() -> VectorNormBf16.normalize(a, b, 0, 1, c, d, N));
        repeat(() -> VectorNormBf16.sums(a, b, c, d, e, 0, 1, N, lanes));
        repeat(() -> VectorNormBf16.gradient(a, b, c, d, 0, 1, 0, 0, N));
        repeat(() -> VectorNormBf16.gradientAndResidual(a, b, c, d, e, 0, 1, 0, 0, N));
        repeat(() -> VectorRms.normalize(a, b, 1, c, N));
        repeat(() -> VectorRms.sums(a, b, c, d, 1, N, lanes));
        repeat(() -> VectorRms.normalizeBf16(a, b, 1, c, N));
        repeat(() -> VectorRms.sumsBf16(a, b, c, d, 1, N, lanes));
        repeat(() -> VectorRotary.rotate(a, a, c, d, N / 2));
        repeat(() -> VectorSoftmax.maximum(a, whole));
        repeat(() -> VectorSoftmax.probabilities(a, whole, 1, 0, lanes));
        repeat(() -> VectorSoftmax.probabilitiesBf16(b, whole, 1, 0, lanes));
        repeat(() -> VectorSoftmax.gradients(a, b, whole, 1, 0, 1, 0));
        repeat(() -> VectorSoftmax.gradientsBf16(c, d, whole, 1, 0, 1, 0));
        repeat(() -> VectorGelu.activate(a, b, N));
        repeat(() -> VectorGelu.activateBf16(a, b, N));
        repeat(() -> VectorGelu.differentiate(a, b, c, N));
        repeat(() -> VectorGelu.differentiateBf16(a, b, c, N));
        repeat(() -> VectorSwiGlu.activate(a, b, c, N));
        repeat(() -> VectorSwiGlu.differentiate(a, b, c, d, e, N));
        repeat(() -> VectorLoss.maximum(a, N));
        repeat(() -> VectorLoss.exponentials(a, b, 0, N, lanes));
        repeat(() -> VectorLoss.sumOfExponentials(a, 0, N, lanes));
        repeat(() -> VectorLoss.probabilities(a, b, 0, 1, N));
        repeat(() -> VectorLoss.scaleToBf16(a, b, 1, N));
        repeat(() -> VectorSquares.squares(a, N, lanes));
        repeat(() -> VectorSquares.fold(a, N, lanes));
        repeat(() -> VectorAdamW.update(a, b, c, d, N, rates));
        return left;
    }

    private void repeat(Runnable kernel) {
        for (int round = 0; round < ROUNDS; round++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                kernel.run();
            }
            if (THREADS.getCurrentThreadAllocatedBytes() == before) {
                return;
            }
        }
        left++;
    }
}
