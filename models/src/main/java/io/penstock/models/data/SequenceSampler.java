package io.penstock.models.data;

import io.penstock.tensor.Checks;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;

/**
 * Which tokens sequence number i of a run is: a function of (seed, i, T), so that resuming needs the number alone and any rank can fetch any sequence.
 * An epoch visits windows of T tokens (and the token after them) that do not overlap, each once, in an order of its own, from a start of its own.
 */
public final class SequenceSampler {
    private final TokenSpan tokens;
    private final int sequence;
    private final long seed;
    private final boolean shuffled;
    private final long windows;
    private final long phases;

    private SequenceSampler(TokenSpan tokens, int sequence, long seed, boolean shuffled) {
        this.tokens = tokens;
        this.sequence = sequence;
        this.seed = seed;
        this.shuffled = shuffled;
        long all = (tokens.size() - 1) / sequence;
        if (all < 1) {
            throw new DataException(tokens.name() + " has " + tokens.size() + " tokens, fewer than one sequence of "
                    + sequence + " and the token after it: " + (sequence + 1L));
        }
        // the last window makes room for T different starts; a lone window moves in what is left over
        this.windows = shuffled && all > 1 ? all - 1 : all;
        this.phases = all > 1 ? sequence : tokens.size() - sequence;
    }

    /** For training. Throws {@link DataException} if the tokens are fewer than {@code sequence} + 1. */
    public static SequenceSampler shuffled(TokenSpan tokens, int sequence, long seed) {
        return new SequenceSampler(tokens, sequence, seed, true);
    }

    /** For evaluation: window i begins at i*T, again from the start after the last. */
    public static SequenceSampler inOrder(TokenSpan tokens, int sequence) {
        return new SequenceSampler(tokens, sequence, 0, false);
    }

    /** Sequences of an epoch. */
    public long windows() {
        return windows;
    }

    /** Throws {@link DataException} if an epoch has fewer than {@code globalBatch} sequences. */
    public SequenceSampler requireBatch(long globalBatch) {
        if (windows < globalBatch) {
            throw new DataException(tokens.name() + " has " + windows + " sequences of " + sequence + " tokens ("
                    + tokens.size() + " in all), fewer than a batch of " + globalBatch);
        }
        return this;
    }

    /** Of the first token of sequence {@code index}, counted from the start of the tokens. */
    public long offset(long index) {
        long epoch = index / windows;
        long window = index % windows;
        if (!shuffled) {
            return window * sequence;
        }
        long key = Hashing.of(seed, epoch);
        long phase = Long.remainderUnsigned(Hashing.of(key, -1), phases);
        return phase + new Permutation(windows, key).of(window) * sequence;
    }

    /** Overwrites tokens_BT (I32, host memory) with sequences {@code first .. first + B - 1}. Allocates nothing. */
    public void fillTokens(Tensor tokens_BT, long first) {
        fill(tokens_BT, first, 0);
    }

    /** Overwrites targets_BT (I32, host memory) with the tokens after those of {@link #fillTokens}. Allocates nothing. */
    public void fillTargets(Tensor targets_BT, long first) {
        fill(targets_BT, first, 1);
    }

    private void fill(Tensor x_BT, long first, int shift) {
        if (Checks.ENABLED) {
            Checks.dtype("tokens", x_BT, DType.I32);
            Checks.contiguous("tokens", x_BT);
            if (x_BT.shape().last() != sequence) {
                throw new IllegalStateException("tokens have shape " + x_BT.shape() + ", T is " + sequence);
            }
        }
        for (long b = 0; b < x_BT.shape().rows(); b++) {
            tokens.copyInts(offset(first + b) + shift, x_BT.segment(), b * sequence, sequence);
        }
    }
}
