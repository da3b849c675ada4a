package io.penstock.models.parallel;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;

/**
 * The two ends of a stretch of a layer whose matrices are split over the group. At the entry a rank needs the activations of all tokens, at the exit its partial
 * product of all tokens is one term of a sum:
 *
 * <pre>
 *                      entry               exit
 * whole layers         as it is            as it is
 * tensor parallel      as it is            all-reduce, in place
 * sequence parallel    all-gather          reduce-scatter
 * </pre>
 *
 * Backward the two change places. With sequence parallelism the activations of all tokens exist only in buffers (R, C) of the rank's scratch; each method names the
 * one it uses. Nothing here allocates.
 */
public final class ParallelRegion {
    private final Backend backend;
    private final TensorGroup group;
    private final boolean sequenceParallel;
    private final Tensor[] all_RC;
    /** This rank's rows of {@link #all_RC}. */
    private final Tensor[] held_RC;

    /** {@code scratch} has the tensors of {@link #scratch}. */
    public ParallelRegion(
            Backend backend, TensorGroup group, TensorSplit split, long rows, TensorSource scratch, int buffers) {
        if (group.size() != split.size() || group.index() != split.index()) {
            throw new IllegalStateException("layers are split for rank " + split.index() + " of " + split.size()
                    + ", their group is that of rank " + group.index() + " of " + group.size());
        }
        this.backend = backend;
        this.group = group;
        this.sequenceParallel = split.sequenceParallel();
        this.all_RC = new Tensor[sequenceParallel ? buffers : 0];
        this.held_RC = new Tensor[all_RC.length];
        for (int i = 0; i < all_RC.length; i++) {
            all_RC[i] = scratch.tensor(name(i));
            held_RC[i] = all_RC[i].slice(split.begin(rows), split.part(rows));
        }
    }

    /** The buffers that a region works in: none without sequence parallelism. */
    public static TensorTable scratch(TensorSplit split, long rows, long columns, DType compute, int buffers) {
        TensorTable.Builder table = TensorTable.builder();
        for (int i = 0; i < buffers && split.sequenceParallel(); i++) {
            table.add(name(i), compute, Shape.of(rows, columns));
        }
        return table.build();
    }

    private static String name(int buffer) {
        return "tokens/" + buffer;
    }

    /** Begins to bring together what each rank holds; after {@link #await} the returned tensor has all tokens. */
    public Tensor startGather(Tensor held_RC, int buffer) {
        if (!sequenceParallel) {
            return held_RC;
        }
        backend.copy(this.held_RC[buffer], held_RC);
        group.startAllGather(all_RC[buffer]);
        return all_RC[buffer];
    }

    /** All tokens of what each rank holds. */
    public Tensor gather(Tensor held_RC, int buffer) {
        Tensor all = startGather(held_RC, buffer);
        await();
        return all;
    }

    /** Where this rank's partial product of all tokens goes, if the held rows of the sum are to be in {@code out_RC}. */
    public Tensor partial(Tensor out_RC, int buffer) {
        return sequenceParallel ? all_RC[buffer] : out_RC;
    }

    /** Begins to sum the partial products of all ranks; {@code partial_RC} is what {@link #partial} gave. */
    public void startSum(Tensor partial_RC) {
        if (sequenceParallel) {
            group.startReduceScatter(partial_RC);
        } else {
            group.startAllReduce(partial_RC);
        }
    }

    /** Waits, then returns the held rows of the sum: a view of the buffer, or {@code partial_RC} itself. */
    public Tensor awaitSum(Tensor partial_RC, int buffer) {
        await();
        return sequenceParallel ? held_RC[buffer] : partial_RC;
    }

    /** The held rows of the sum of all partial products. */
    public Tensor sum(Tensor partial_RC, int buffer) {
        startSum(partial_RC);
        return awaitSum(partial_RC, buffer);
    }

    /** Overwrites out_RC with the held rows of the sum. */
    public void sumInto(Tensor out_RC, Tensor partial_RC, int buffer) {
        Tensor sum = sum(partial_RC, buffer);
        if (sequenceParallel) {
            backend.copy(out_RC, sum);
        }
    }

    /** Lets what was started go on, between pieces of work. */
    public void poll() {
        group.poll();
    }

    /** Waits for all that was started. */
    public void await() {
        group.await();
    }
}
