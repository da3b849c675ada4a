package io.penstock.partitioner.cluster;

/** What the training engine on a cluster does about costs that need not be. */
public enum Software {
    /**
     * Megatron-LM as measured in arXiv 2104.04473: gradients in 16 bit, each micro-batch's added to their sum in a pass of their own, and nothing computes while ranks reduce.
     */
    MEGATRON_2021,
    /** As in arXiv 2205.05198: products add up weight gradients, in 32 bit, and input gradients are reduced while weight gradients are computed. */
    MEGATRON_2022;

    /** Bytes read and written a parameter and micro-batch to sum gradients up. */
    public double accumulationBytes() {
        return this == MEGATRON_2021 ? 6 : 0;
    }

    /** Bytes a parameter that replicas reduce. */
    public double gradientBytes() {
        return this == MEGATRON_2021 ? 2 : 4;
    }

    public boolean hidesGradientReduction() {
        return this == MEGATRON_2022;
    }
}
