package io.penstock.partitioner.estimate;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Wire;

/** Seconds of what ranks tell each other beside their tensor-parallel reductions, and of what ends a step. */
final class Communication {
    private static final double VALUE_BYTES = 2;
    /** Bytes read and written a parameter: unscaling 8, norm 4, clipping 8, Adam 28, the 16-bit copy 6, clearing the gradient 4. */
    private static final double UPDATE_BYTES = 58;
    /** The same on the host, where the gradient comes over the link. */
    private static final double HOST_UPDATE_BYTES = 34;

    private final Layout layout;
    private final Cluster cluster;
    private final double hiddenBytes;

    Communication(Transformer model, Layout layout, Cluster cluster) {
        this.layout = layout;
        this.cluster = cluster;
        hiddenBytes = VALUE_BYTES * layout.microBatch() * model.sequence() * model.hidden();
    }

    /** A message between stages: sent in tensor-parallel pieces, and gathered inside the receiving node unless ranks hold pieces anyway; neither is hidden. */
    double message() {
        int t = layout.tensor();
        Wire wire = cluster.devices() <= cluster.devicesPerNode() ? cluster.inNode() : cluster.pipeline();
        double gather = layout.sequenceParallel()
                ? 0
                : hiddenBytes * (t - 1) / t / cluster.inNode().bytesPerSecond();
        return wire.message(hiddenBytes / t) + gather;
    }

    /** Between replicas of one part of the model. */
    private Wire replicas() {
        return layout.tensor() * layout.data() <= cluster.devicesPerNode() ? cluster.inNode() : cluster.network();
    }

    private double gradientBytes() {
        return cluster.software().gradientBytes();
    }

    /** A chunk's part in each forward that only longer computation hides: ZeRO-3 gathers its parameters, offloaded activations leave. */
    double behindForward(double parameters, double activationBytes) {
        double gather = layout.zeroStage() >= 3 ? replicas().allGather(VALUE_BYTES * parameters, layout.data()) : 0;
        return Math.max(gather, overLink(activationBytes));
    }

    /** The same for each backward: ZeRO-2 and 3 scatter gradients, ZeRO-3 gathers parameters again, offloaded activations come back. */
    double behindBackward(double parameters, double activationBytes) {
        double scatter =
                layout.zeroStage() >= 2 ? replicas().allGather(gradientBytes() * parameters, layout.data()) : 0;
        return Math.max(scatter + behindForward(parameters, 0), overLink(activationBytes));
    }

    private double overLink(double activationBytes) {
        return layout.offload().activations() ? activationBytes / cluster.host().linkBytesPerSecond() : 0;
    }

    /** After the pipeline: gradients' reduction (with ZeRO-2 and 3 that of the last micro-batch), the update, and parameters' return (with ZeRO-3 for the first micro-batch). */
    double endOfStep(double parameters) {
        int d = layout.data();
        Wire wire = replicas();
        double reduction = layout.zeroStage() == 0
                ? wire.allReduce(gradientBytes() * parameters, d)
                : wire.allGather(gradientBytes() * parameters, d) + wire.allGather(VALUE_BYTES * parameters, d);
        double updated = layout.zeroStage() == 0 ? parameters : parameters / d;
        return reduction + (layout.offload().optimizer() ? hostUpdate(updated) : deviceUpdate(updated));
    }

    private double deviceUpdate(double parameters) {
        return UPDATE_BYTES * parameters / cluster.device().memoryBytesPerSecond();
    }

    /** Gradients out and values back overlap each other and the host's work; the slower counts. */
    private double hostUpdate(double parameters) {
        return Math.max(
                (gradientBytes() + VALUE_BYTES) * parameters / cluster.host().linkBytesPerSecond(),
                HOST_UPDATE_BYTES * parameters / cluster.host().memoryBytesPerSecond());
    }

    double reduceTied(double embeddingParameters) {
        return layout.pipeline() == 1
                ? 0
                : cluster.network().allReduce(gradientBytes() * embeddingParameters / layout.tensor(), 2);
    }
}
