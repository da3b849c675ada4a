package io.penstock.engine.planning;

import io.penstock.models.MicroBatchShape;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.tensor.DType;
import java.util.function.DoubleSupplier;
import java.util.function.IntFunction;

/**
 * What this machine takes for a model's layers.
 *
 * @param layers by the sequences of a micro-batch
 * @param updateBytesPerSecond that the end of a step reaches on a rank's share of the states
 * @param messageSeconds a message beside its bytes
 * @param messageBytesPerSecond between two ranks
 * @param storeBytesPerSecond between a rank and its store of what is offloaded; asked when a plan offloads, for it may be timed then
 * @param measured whether the layers' times are, so that a split may follow them
 * @param basis where the numbers come from, for the reader
 */
public record MachineRates(
        IntFunction<LayerSeconds> layers,
        double updateBytesPerSecond,
        double messageSeconds,
        double messageBytesPerSecond,
        DoubleSupplier storeBytesPerSecond,
        boolean measured,
        String basis) {
    private static final double MESSAGE_SECONDS = 50e-6;
    private static final double MESSAGE_BYTES_PER_SECOND = 2e9;
    private static final double STORE_BYTES_PER_SECOND = 1e9;

    /** Through pinned memory of the host. */
    private static final double GPU_MESSAGE_BYTES_PER_SECOND = 5e9;

    /** Of a GPU that was not measured: half of what an A100's data sheet says, which has one number for both 16-bit types. */
    static MachineRates guessedGpu(DType compute, int sequence) {
        DeviceRates rates = new DeviceRates(compute.isHalf() ? 156e12 : 10e12, 1e12);
        return new MachineRates(
                batch -> CostModel.rated(new MicroBatchShape(batch, sequence), compute, rates),
                rates.memoryBytesPerSecond(),
                MESSAGE_SECONDS,
                GPU_MESSAGE_BYTES_PER_SECOND,
                () -> STORE_BYTES_PER_SECOND,
                false,
                "guessed rates of a GPU (half of an A100's data sheet), not measured: --calibrate measures one");
    }

    /** Without any measurement: a guess at a core that only a split of layers should be trusted to. */
    static MachineRates guessed(DType compute, int sequence, int threads) {
        DeviceRates core = DeviceRates.cpu(compute);
        DeviceRates rates =
                new DeviceRates(core.matrixFlopsPerSecond() * threads, core.memoryBytesPerSecond() * threads);
        return new MachineRates(
                batch -> CostModel.rated(new MicroBatchShape(batch, sequence), compute, rates),
                rates.memoryBytesPerSecond(),
                MESSAGE_SECONDS,
                MESSAGE_BYTES_PER_SECOND,
                () -> STORE_BYTES_PER_SECOND,
                false,
                "guessed rates of a core, not measured: --calibrate measures");
    }
}
