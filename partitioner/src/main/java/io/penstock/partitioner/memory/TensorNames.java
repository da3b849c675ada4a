package io.penstock.partitioner.memory;

/** Names of the tensors in a rank's tables. */
public final class TensorNames {
    /** One region that every layer of a rank carves its stash from in turn, where backward is fused. */
    public static final String SHARED_STASH = "stash";

    /** One region that every layer of a rank writes what it will recompute to in turn. */
    public static final String SHARED_RECOMPUTED = "recomputed";

    /** One region that embedding and blocks carve what a call works in from in turn, where layers are shared. */
    public static final String SHARED_SCRATCH = "scratch";

    /** Prefix of the head's scratch tensors. */
    public static final String HEAD_SCRATCH = "head.";

    /** Of each micro-batch of a step, on a rank with the head (F64). */
    public static final String LOSSES = "losses";

    /** What this rank says at the end of a step, and what all said (F64). */
    public static final String STATISTICS_OWN = "statistics.own";

    public static final String STATISTICS_GATHERED = "statistics.gathered";

    /** Memory of the collectives for pieces on their way. */
    public static final String COLLECTIVE_SCRATCH = "collective_scratch";

    /** The same for sums over replicas. */
    public static final String DATA_SCRATCH = "data_scratch";

    /** The pieces that such a sum is made in, by the host. */
    public static final String DATA_SUM = "data_sum";

    /** The same for sums over the ranks that share each layer, and the piece that such a sum is made in, by the host. */
    public static final String TENSOR_SCRATCH = "tensor_scratch";

    public static final String TENSOR_SUM = "tensor_sum";

    /** Prefixes of the windows that blocks hold whole matrices in, in turn. */
    public static final String VALUE_WINDOW = "value_window";

    public static final String GRADIENT_WINDOW = "gradient_window";

    private TensorNames() {}

    public static String master(String parameter) {
        return "master:" + parameter;
    }

    public static String working(String parameter) {
        return "working:" + parameter;
    }

    public static String gradient(String parameter) {
        return "gradient:" + parameter;
    }

    /** The other side's gradient of a tied parameter. */
    public static String tiedGradient(String parameter) {
        return "tied_gradient:" + parameter;
    }

    /** A partial sum of gradients that waits for its neighbour of the same level. */
    public static String held(String parameter, int level) {
        return "held" + level + ":" + parameter;
    }

    /** The sum of the rounds of a step. */
    public static String sum(String parameter) {
        return "sum:" + parameter;
    }

    /** In {@link #held} and {@link #sum}: the head's side of a tied parameter. */
    public static String tiedSide(String parameter) {
        return "tied:" + parameter;
    }

    public static String window(String prefix, int window) {
        return prefix + window;
    }

    public static String firstMoment(String parameter) {
        return "m:" + parameter;
    }

    public static String secondMoment(String parameter) {
        return "v:" + parameter;
    }

    /** Prefix of everything in one activation slot of a chunk. */
    public static String slot(int chunk, int slot) {
        return "chunk" + chunk + ".slot" + slot + ".";
    }

    /** One of the regions that micro-batches take in turn where activations are offloaded. */
    public static String region(int region) {
        return "region" + region;
    }

    /** In the store: what a micro-batch of a chunk has saved. */
    public static String offloadedSlot(int chunk, int place) {
        return "activations:chunk" + chunk + "." + place;
    }

    /** In a slot: the input of the chunk's layer {@code layer} (counted from 0 in the chunk). */
    public static String input(int layer) {
        return "input" + layer;
    }

    /** In a slot: prefix of what layer {@code layer} saves. */
    public static String saved(int layer) {
        return "saved" + layer + ".";
    }

    public static String tokens() {
        return "tokens";
    }

    public static String targets() {
        return "targets";
    }

    /** Prefix of one stash slot of a chunk, where backward is split. */
    public static String stashSlot(int chunk, int stash) {
        return "chunk" + chunk + ".stash" + stash + ".";
    }

    /** In a stash slot: prefix of the stash of layer {@code layer}. */
    public static String stash(int layer) {
        return "layer" + layer + ".";
    }

    /** In a stash slot: prefix of what layer {@code layer} has recomputed for its input gradient and reads again for its weight gradient. */
    public static String recomputed(int layer) {
        return "recomputed" + layer + ".";
    }

    /** In a stash slot: the gradient of the output of layer {@code layer}. */
    public static String outputGradient(int layer) {
        return "output_gradient" + layer;
    }

    /** Gradients between layers where backward is fused; {@code parity} 0 or 1. */
    public static String gradientStream(int parity) {
        return "gradient_stream" + parity;
    }

    /** Messages of a chunk, two of each in turn; {@code parity} 0 or 1. */
    public static String sendActivation(int chunk, int parity) {
        return "chunk" + chunk + ".send_activation" + parity;
    }

    /** Where activations are offloaded: a slot is not free until its micro-batch is computed on. */
    public static String receiveActivation(int chunk, int parity) {
        return "chunk" + chunk + ".receive_activation" + parity;
    }

    public static String sendGradient(int chunk, int parity) {
        return "chunk" + chunk + ".send_gradient" + parity;
    }

    public static String receiveGradient(int chunk, int parity) {
        return "chunk" + chunk + ".receive_gradient" + parity;
    }
}
