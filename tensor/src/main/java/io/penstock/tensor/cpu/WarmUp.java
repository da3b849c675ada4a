package io.penstock.tensor.cpu;

import com.sun.management.ThreadMXBean;
import io.penstock.tensor.DType;
import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Has C2 compile the vector loops once in a process, before the first step: until then a loop of the Vector API is a hundred times slower, and one compiled in
 * the middle of its first, long row, as the loss's are, has not seen its own end and keeps vectors as objects. The flags of {@code jvm.properties} make
 * some hundred calls enough, make them wait for the compiler, and let it use what these calls have shown of the vectors' classes (by default it believes a
 * method's profile only after 1,000 calls, and without it some vectors stay objects for good); without these flags the calls only cost some seconds.
 */
final class WarmUp {
    private static final boolean INTERPRETED =
            System.getProperty("java.vm.info", "").startsWith("interpreted mode");
    private static final int CALLS = 120;

    /** While a loop makes objects, for it is not compiled yet where others wait for the compiler too; no more, for without the flags it may do so for good. */
    private static final int ROUNDS = 10;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** A row with whole groups of vectors, single vectors and a rest. */
    private static final int VECTORS = 39;

    private static final int WHOLE = VECTORS * Lanes.COUNT;
    private static final long N = WHOLE + 3L;
    private static final long ROW_BYTES = 4L * (VECTORS + 2) * 16;

    /** Loops that all types need. */
    private static final class Common {
        static final int LEFT = compile(WarmUp::common);

        private Common() {}
    }

    /** F32's, which F16 goes through too. */
    private static final class OfF32 {
        static final int LEFT = compile(WarmUp::ofF32);

        private OfF32() {}
    }

    private static final class OfF16 {
        static final int LEFT = compile(WarmUp::ofF16);

        private OfF16() {}
    }

    private static final class OfBf16 {
        static final int LEFT = compile(WarmUp::ofBf16);

        private OfBf16() {}
    }

    /** Rows, of zeros at first. */
    private final long a;

    private final long b;
    private final long c;
    private final long d;
    private final long e;
    private final long lanes;
    private int left;

    private WarmUp(Workspace workspace) {
        a = workspace.area(0);
        b = a + ROW_BYTES;
        c = b + ROW_BYTES;
        d = c + ROW_BYTES;
        e = d + ROW_BYTES;
        lanes = workspace.lanes(0);
    }

    /**
     * Returns when the loops of these types are compiled: at once after the first time, where the JVM never compiles, and where {@code -Dpenstock.warm.up=false} leaves them to be
     * compiled when used.
     *
     * @return how many still make objects: none, with the flags
     */
    static int await(Set<DType> types) {
        if (INTERPRETED || "false".equals(System.getProperty("penstock.warm.up"))) {
            return 0;
        }
        int left = Common.LEFT;
        if (types.contains(DType.F32) || types.contains(DType.F16)) {
            left += OfF32.LEFT;
        }
        if (types.contains(DType.F16)) {
            left += OfF16.LEFT;
        }
        return types.contains(DType.BF16) ? left + OfBf16.LEFT : left;
    }

    /** What a user should know of loops that make objects: for good without the flags, else until a busy compiler comes to them. */
    static String remark(int left) {
        String loops = left == 1 ? " loop" : " loops";
        return left == 0 ? "" : ", " + left + loops + " slow as yet: has java the flags of jvm.properties?";
    }

    private static int compile(Consumer<WarmUp> loops) {
        try (Workspace workspace = new Workspace(1)) {
            WarmUp warmUp = new WarmUp(workspace);
            loops.accept(warmUp);
            return warmUp.left;
        }
    }

    /** One loop after the other: each is compiled while the others still wait. All numbers are 0 at first, or 1 where they divide. */
    private void common() {
        VectorAdamW.Rates rates = new VectorAdamW.Rates();
        rates.correction2 = 1;
        rates.eps = 1;
        repeat(() -> Vectors.zero(a, N));
        repeat(() -> Vectors.add(a, b, c, N));
        repeat(() -> Vectors.addToBoth(a, b, c, N));
        repeat(() -> Vectors.scale(a, b, 0.5f, N));
        repeat(() -> Vectors.dot(a, b, N, lanes));
        repeat(() -> VectorRotary.rotate(a, a, c, d, N / 2));
        repeat(() -> VectorSoftmax.maximum(a, WHOLE));
        repeat(() -> VectorSwiGlu.activate(a, b, c, N));
        repeat(() -> VectorSwiGlu.differentiate(a, b, c, d, e, N));
        repeat(() -> VectorLoss.maximum(a, N));
        repeat(() -> VectorLoss.exponentials(a, b, 0, N, lanes));
        repeat(() -> VectorLoss.sumOfExponentials(a, 0, N, lanes));
        repeat(() -> VectorLoss.probabilities(a, b, 0, 1, N));
        repeat(() -> VectorSquares.squares(a, N, lanes));
        repeat(() -> VectorSquares.fold(a, N, lanes));
        repeat(() -> VectorAdamW.update(a, b, c, d, N, rates));
    }

    private void ofF32() {
        repeat(() -> VectorNorm.sum(a, N, lanes));
        repeat(() -> VectorNorm.squares(a, 0, N, lanes));
        repeat(() -> VectorNorm.normalize(a, b, 0, 1, c, d, N));
        repeat(() -> VectorNorm.sums(a, b, c, d, e, 0, 1, N, lanes));
        repeat(() -> VectorNorm.gradient(a, b, c, d, 0, 1, 0, 0, N));
        repeat(() -> VectorNorm.gradientAndResidual(a, b, c, d, e, 0, 1, 0, 0, N));
        repeat(() -> VectorRms.normalize(a, b, 1, c, N));
        repeat(() -> VectorRms.sums(a, b, c, d, 1, N, lanes));
        repeat(() -> VectorSoftmax.probabilities(a, WHOLE, 1, 0, lanes));
        repeat(() -> VectorSoftmax.gradients(a, b, WHOLE, 1, 0, 1, 0));
        repeat(() -> VectorGelu.activate(a, b, N));
        repeat(() -> VectorGelu.differentiate(a, b, c, N));
    }

    private void ofF16() {
        repeat(() -> VectorF16.widen(a, b, N));
        repeat(() -> VectorF16.narrow(a, b, N));
        repeat(() -> VectorF16.addTo(a, b, N));
    }

    private void ofBf16() {
        repeat(() -> VectorBf16.widen(a, b, N));
        repeat(() -> VectorBf16.narrow(a, b, N));
        repeat(() -> VectorBf16.add(a, b, c, N));
        repeat(() -> VectorBf16.addTo(a, b, N));
        repeat(() -> VectorBf16.addToBoth(a, b, c, N));
        repeat(() -> VectorBf16.addFour(a, b, 0, N));
        repeat(() -> VectorNormBf16.sum(a, N, lanes));
        repeat(() -> VectorNormBf16.squares(a, 0, N, lanes));
        repeat(() -> VectorNormBf16.split(a, b, N));
        repeat(() -> VectorNormBf16.unsplit(a, b, N));
        repeat(() -> VectorNormBf16.normalize(a, b, 0, 1, c, d, N));
        repeat(() -> VectorNormBf16.sums(a, b, c, d, e, 0, 1, N, lanes));
        repeat(() -> VectorNormBf16.gradient(a, b, c, d, 0, 1, 0, 0, N));
        repeat(() -> VectorNormBf16.gradientAndResidual(a, b, c, d, e, 0, 1, 0, 0, N));
        repeat(() -> VectorRms.normalizeBf16(a, b, 1, c, N));
        repeat(() -> VectorRms.sumsBf16(a, b, c, d, 1, N, lanes));
        repeat(() -> VectorSoftmax.probabilitiesBf16(b, WHOLE, 1, 0, lanes));
        repeat(() -> VectorSoftmax.gradientsBf16(c, d, WHOLE, 1, 0, 1, 0));
        repeat(() -> VectorGelu.activateBf16(a, b, N));
        repeat(() -> VectorGelu.differentiateBf16(a, b, c, N));
        repeat(() -> VectorLoss.scaleToBf16(a, b, 1, N));
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
