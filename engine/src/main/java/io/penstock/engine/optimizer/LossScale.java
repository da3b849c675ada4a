package io.penstock.engine.optimizer;

import io.penstock.tensor.DType;

/**
 * What the gradient of the loss is multiplied by, so that small gradients are still numbers in F16 (Micikevicius et al. 2018), and divided by again in the norm and the update. A power of two, so that
 * neither rounds. Dynamic: a step whose gradients overflow is left out and the scale halves; after {@link #GROWTH_STEPS} good steps in a row it doubles. Every rank comes to the same scale, for every
 * rank judges by the same norm. For other compute types it is 1 and nothing is left out.
 */
public final class LossScale {
    public static final double START = 0x1p16;
    /** A scale below it would make gradients smaller than they are: what overflows then is no matter of scale. */
    public static final double LEAST = 1;

    /** Where it stops growing, that gradients which vanish altogether do not take it to infinity. */
    public static final double MOST = 0x1p32;

    public static final int GROWTH_STEPS = 2000;

    /**
     * What a run that goes on must know.
     *
     * @param scale a power of two from {@link #LEAST} to {@link #MOST}
     * @param goodSteps since the scale changed last
     * @param skippedSteps of the whole run
     */
    public record State(double scale, int goodSteps, int skippedSteps) {
        public static final State INITIAL = new State(START, 0, 0);

        public State {
            boolean powerOfTwo = scale >= LEAST && scale <= MOST && Math.scalb(1.0, Math.getExponent(scale)) == scale;
            if (!powerOfTwo || goodSteps < 0 || skippedSteps < 0) {
                throw new IllegalArgumentException("loss scale " + scale + " after " + goodSteps + " good steps and "
                        + skippedSteps + " skipped: expected a power of two from " + LEAST + " to " + MOST
                        + " and no negative counts");
            }
        }
    }

    private final boolean dynamic;
    private double scale = START;
    private int goodSteps;
    private int skippedSteps;

    private LossScale(boolean dynamic) {
        this.dynamic = dynamic;
    }

    public static LossScale of(DType compute) {
        return new LossScale(compute == DType.F16);
    }

    /** Goes on from where another run was. */
    public void resume(State state) {
        scale = state.scale();
        goodSteps = state.goodSteps();
        skippedSteps = state.skippedSteps();
    }

    public State state() {
        return new State(scale, goodSteps, skippedSteps);
    }

    public boolean isDynamic() {
        return dynamic;
    }

    /** What the next step's gradients are multiplied by. */
    public double factor() {
        return dynamic ? scale : 1;
    }

    /** How many of {@code steps} steps have updated the weights. */
    public int updates(int steps) {
        return steps - skippedSteps;
    }

    public int skippedSteps() {
        return skippedSteps;
    }

    /** The gradients of a step are all numbers: it counts. */
    public void keep() {
        if (!dynamic) {
            return;
        }
        goodSteps++;
        if (goodSteps >= GROWTH_STEPS) {
            scale = Math.min(MOST, 2 * scale);
            goodSteps = 0;
        }
    }

    /** Those of a step are not: it is left out with a smaller scale from now on. False where there is none: then the run has diverged. */
    public boolean skip() {
        if (!dynamic || scale / 2 < LEAST) {
            return false;
        }
        scale /= 2;
        goodSteps = 0;
        skippedSteps++;
        return true;
    }
}
