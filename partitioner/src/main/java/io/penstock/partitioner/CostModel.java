package io.penstock.partitioner;

import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.Phase;
import io.penstock.models.Recomputation;
import io.penstock.models.Work;
import io.penstock.tensor.DType;
import java.util.List;

/** Seconds of a layer on a device by its sustained rates: matrix work by FLOP/s, everything else by memory bandwidth. */
public final class CostModel {
    private CostModel() {}

    /**
     * What a device sustains.
     *
     * @param matrixFlopsPerSecond of matrix products in the compute type, multiply and add counted as two
     * @param memoryBytesPerSecond reads and writes together
     */
    public record DeviceRates(double matrixFlopsPerSecond, double memoryBytesPerSecond) {
        /** A CPU core, on which F16 goes through F32: its ratio of arithmetic to memory speed is what a split depends on, not its absolute speed. */
        public static DeviceRates cpu(DType compute) {
            return new DeviceRates(compute == DType.BF16 ? 500e9 : 150e9, 15e9);
        }

        public DeviceRates {
            if (!(matrixFlopsPerSecond > 0) || !(memoryBytesPerSecond > 0)) {
                throw new PlanException("a device of " + matrixFlopsPerSecond + " FLOP/s and " + memoryBytesPerSecond
                        + " bytes/s: both must be positive");
            }
        }
    }

    /**
     * Seconds of a layer or a stage on one micro-batch.
     *
     * @param backward of both halves in one piece, which finds in the cache what the second half of a split backward reads again
     */
    public record PhaseSeconds(double forward, double backwardInput, double backwardWeight, double backward) {
        /** Of a backward that takes as long as its halves. */
        public PhaseSeconds(double forward, double backwardInput, double backwardWeight) {
            this(forward, backwardInput, backwardWeight, backwardInput + backwardWeight);
        }

        /** Forward, and backward in one piece. */
        public double total() {
            return forward + backward;
        }

        /** The same under a schedule that runs backwards in halves if {@code split}. */
        public double total(boolean split) {
            return split ? forward + backwardInput + backwardWeight : total();
        }

        public PhaseSeconds plus(PhaseSeconds other) {
            return new PhaseSeconds(
                    forward + other.forward,
                    backwardInput + other.backwardInput,
                    backwardWeight + other.backwardWeight,
                    backward + other.backward);
        }
    }

    public static PhaseSeconds seconds(LayerSpec layer, MicroBatchShape microBatch, DType compute, DeviceRates device) {
        return new PhaseSeconds(
                seconds(layer.work(Phase.FORWARD, microBatch, compute), device),
                seconds(layer.work(Phase.BACKWARD_INPUT, microBatch, compute), device),
                seconds(layer.work(Phase.BACKWARD_WEIGHT, microBatch, compute), device));
    }

    /** Seconds that a layer's recomputation adds to its input gradient. */
    public static double recomputationSeconds(
            LayerSpec layer,
            Recomputation recomputation,
            MicroBatchShape microBatch,
            DType compute,
            DeviceRates device) {
        return layer instanceof BlockSpec block
                ? seconds(block.recomputationWork(recomputation, microBatch, compute), device)
                : 0;
    }

    /** The share of a layer's forward that its recomputation runs again, by the rates of a CPU. */
    public static double recomputedShare(
            LayerSpec layer, Recomputation recomputation, MicroBatchShape microBatch, DType compute) {
        DeviceRates device = DeviceRates.cpu(compute);
        double again = recomputationSeconds(layer, recomputation, microBatch, compute, device);
        return again == 0 ? 0 : again / seconds(layer.work(Phase.FORWARD, microBatch, compute), device);
    }

    /** Layers by the rates of a device. */
    public static LayerSeconds rated(MicroBatchShape microBatch, DType compute, DeviceRates device) {
        return layer -> seconds(layer, microBatch, compute, device);
    }

    /** Forward and backward seconds of every layer of {@link ModelSpec#layers()}, recomputation with them: what {@link Partition} balances. */
    public static double[] layerCosts(
            ModelSpec model, MicroBatchShape microBatch, DType compute, Techniques techniques, DeviceRates device) {
        List<LayerSpec> layers = model.layers();
        double[] costs = new double[layers.size()];
        for (int i = 0; i < costs.length; i++) {
            costs[i] = seconds(layers.get(i), microBatch, compute, device).total()
                    + recomputationSeconds(layers.get(i), techniques.recomputation(i), microBatch, compute, device);
        }
        return costs;
    }

    private static double seconds(List<Work> works, DeviceRates device) {
        double seconds = 0;
        for (Work work : works) {
            seconds += switch (work) {
                case Work.MatrixProduct product -> product.flops() / device.matrixFlopsPerSecond();
                case Work.Attention attention -> attention.flops() / device.matrixFlopsPerSecond();
                case Work.MemoryPass pass -> pass.bytes() / device.memoryBytesPerSecond();
            };
        }
        return seconds;
    }
}
