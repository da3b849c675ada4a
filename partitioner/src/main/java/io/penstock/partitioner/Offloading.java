package io.penstock.partitioner;

/**
 * What a rank keeps outside of its device's memory (Rajbhandari et al. 2021, "ZeRO-Infinity").
 *
 * @param ofOptimizer masters that are memory of their own, and both moments of every parameter
 * @param ofParameters those, and the matrices of blocks: layers compute with copies in a few windows, made from the masters
 * @param ofActivations what forwards save, from the end of a micro-batch's forward until its backward
 */
public record Offloading(boolean ofOptimizer, boolean ofParameters, boolean ofActivations) {
    public static final Offloading NONE = new Offloading(false, false, false);
    public static final Offloading OPTIMIZER = new Offloading(true, false, false);
    public static final Offloading PARAMETERS = new Offloading(true, true, false);
    public static final Offloading ACTIVATIONS = new Offloading(false, false, true);

    public Offloading {
        ofOptimizer |= ofParameters;
    }

    public Offloading and(Offloading other) {
        return new Offloading(
                ofOptimizer || other.ofOptimizer,
                ofParameters || other.ofParameters,
                ofActivations || other.ofActivations);
    }
}
