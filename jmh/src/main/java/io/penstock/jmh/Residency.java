package io.penstock.jmh;

import java.util.function.IntFunction;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Where an operation of one pass over memory finds its tensors: {@code memory}, as in a training step, whose saved activations are many times the last cache, each call here
 * working on the next of several sets of tensors; or {@code cache}, one set over and over. Operation, peer and floor go through as many sets.
 */
@State(Scope.Benchmark)
public class Residency {
    /** Together beyond any last-level cache that a machine of a few cores has; a set has at least 12 MiB. */
    private static final int SETS = 8;

    @Param({"memory", "cache"})
    public String residency = "";

    private int calls;

    int sets() {
        return residency.equals("memory") ? SETS : 1;
    }

    /** The set of this call. */
    int next() {
        calls = (calls + 1) % sets();
        return calls;
    }

    <T> T[] each(IntFunction<T[]> array, IntFunction<T> make) {
        T[] all = array.apply(sets());
        for (int i = 0; i < all.length; i++) {
            all[i] = make.apply(i);
        }
        return all;
    }
}
