package io.penstock.partitioner;

import io.penstock.models.Recomputation;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is done beside the pipeline to share a step or to save memory.
 *
 * @param recomputation what of each layer is computed again, by its place in {@link io.penstock.models.ModelSpec#layers()}; empty for nothing
 */
public record Techniques(Sharding sharding, List<Recomputation> recomputation, Offloading offloading) {
    public static final Techniques NONE = new Techniques(Sharding.NONE, List.of());

    /** With everything in device memory. */
    public Techniques(Sharding sharding, List<Recomputation> recomputation) {
        this(sharding, recomputation, Offloading.NONE);
    }

    public Techniques {
        recomputation = List.copyOf(recomputation);
    }

    /** The same with other recomputation. */
    public Techniques with(List<Recomputation> other) {
        return new Techniques(sharding, other, offloading);
    }

    /** The same with states elsewhere. */
    public Techniques with(Offloading other) {
        return new Techniques(sharding, recomputation, other);
    }

    /** Whether layers compute with parameters that are made whole for their time of work only. */
    public boolean windowsParameters() {
        return sharding.windowsParameters() || offloading.ofParameters();
    }

    /** Of layers {@code from} (inclusive) to {@code to} (exclusive). */
    public List<Recomputation> recomputation(int from, int to) {
        return IntStream.range(from, to).mapToObj(this::recomputation).toList();
    }

    public Recomputation recomputation(int layer) {
        return recomputation.isEmpty() ? Recomputation.NONE : recomputation.get(layer);
    }
}
