package io.penstock.partitioner;

import io.penstock.models.Recomputation;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is done beside the pipeline to share a step or to save memory.
 *
 * @param recomputation what of each layer is computed again, by its place in {@link io.penstock.models.ModelSpec#layers()}; empty for nothing
 */
public record Techniques(Sharding sharding, List<Recomputation> recomputation) {
    public static final Techniques NONE = new Techniques(Sharding.NONE, List.of());

    public Techniques {
        recomputation = List.copyOf(recomputation);
    }

    /** The same with other recomputation. */
    public Techniques with(List<Recomputation> other) {
        return new Techniques(sharding, other);
    }

    /** Of layers {@code from} (inclusive) to {@code to} (exclusive). */
    public List<Recomputation> recomputation(int from, int to) {
        return IntStream.range(from, to).mapToObj(this::recomputation).toList();
    }

    public Recomputation recomputation(int layer) {
        return recomputation.isEmpty() ? Recomputation.NONE : recomputation.get(layer);
    }
}
