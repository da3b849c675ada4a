package io.penstock.partitioner.reference;

/**
 * Bytes that Megatron-LM holds on the first pipeline stage, in 16-bit with dropout masks of one byte. Korthikanti et al. 2022 (arXiv 2205.05198), table 2, equations 5 and
 * 6.
 *
 * @param sequence s
 * @param microBatch b, in sequences
 * @param hidden h
 * @param heads a
 * @param layers L
 * @param tensor t
 * @param pipeline p
 * @param chunks model chunks a rank, 1 without interleaving
 */
public record MegatronMemory(
        int sequence, int microBatch, int hidden, int heads, int layers, int tensor, int pipeline, int chunks) {
    /** How activations are kept. */
    public enum Activations {
        TENSOR_PARALLEL,
        SEQUENCE_PARALLEL,
        SELECTIVE,
        SEQUENCE_PARALLEL_SELECTIVE,
        FULL_RECOMPUTE
    }

    /** Bytes of one layer's activations for one micro-batch. */
    public double layerActivationBytes(Activations kept) {
        double sbh = (double) sequence * microBatch * hidden;
        double t = tensor;
        double attention = 5.0 * heads * sequence / hidden;
        return switch (kept) {
            case TENSOR_PARALLEL -> sbh * (10 + 24 / t + attention / t);
            case SEQUENCE_PARALLEL -> sbh * (34 + attention) / t;
            case SELECTIVE -> sbh * (10 + 24 / t);
            case SEQUENCE_PARALLEL_SELECTIVE -> sbh * 34 / t;
            case FULL_RECOMPUTE -> sbh * 2;
        };
    }

    /** Layers' worth of activations on the first stage: p micro-batches in flight on L/p layers, somewhat more if interleaved. */
    public double layersInFlight() {
        return chunks == 1 ? layers : layers * (1 + (pipeline - 1.0) / (pipeline * (double) chunks));
    }

    public double activationBytes(Activations kept) {
        return layersInFlight() * layerActivationBytes(kept);
    }

    /** 18 bytes for each of the 12 L h^2 parameters of the blocks: 2 + 4 for value and gradient, 12 for the optimizer. */
    public double parameterAndOptimizerBytes() {
        return 18.0 * 12 * layers * (double) hidden * hidden / tensor / pipeline;
    }
}
