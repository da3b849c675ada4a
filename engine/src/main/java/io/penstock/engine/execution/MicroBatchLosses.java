package io.penstock.engine.execution;

import io.penstock.engine.optimizer.LossSum;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.Backend;
import io.penstock.tensor.HostMirror;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The losses that a rank's head finds, left where its backend computes until somebody asks for their sum: nobody waits for a device at each micro-batch. There is a place for each micro-batch of a
 * training step; an evaluation may have more, then the host looks each time that they are full.
 */
public final class MicroBatchLosses {
    private final Backend backend;
    private final @Nullable HostMirror losses_M;
    private final Tensor[] places;
    private final LossSum sum = new LossSum();
    private int filled;

    private MicroBatchLosses(Backend backend, @Nullable HostMirror losses_M, Tensor[] places) {
        this.backend = backend;
        this.losses_M = losses_M;
        this.places = places;
    }

    /** Of a rank with {@code layers}, in the planned {@code buffers}; of one without a head there are none. */
    public static MicroBatchLosses of(List<LayerSpec> layers, TensorSource buffers, Backend backend) {
        if (layers.stream().noneMatch(HeadSpec.class::isInstance)) {
            return new MicroBatchLosses(backend, null, new Tensor[0]);
        }
        Tensor losses_M = buffers.tensor(TensorNames.LOSSES);
        Tensor[] places = new Tensor[Math.toIntExact(losses_M.elements())];
        for (int i = 0; i < places.length; i++) {
            places[i] = losses_M.slice(i, 1);
        }
        return new MicroBatchLosses(backend, HostMirror.of(losses_M, backend), places);
    }

    public void clear() {
        sum.clear();
        filled = 0;
    }

    /** Where the head leaves the loss of a micro-batch, which counts from now on. */
    Tensor next() {
        if (filled == places.length) {
            collect();
        }
        return places[filled++];
    }

    /** Of all micro-batches since they were cleared, good until they are again. Waits until the backend has done all that it was asked for. */
    public LossSum sum() {
        backend.synchronize();
        collect();
        return sum;
    }

    private void collect() {
        if (filled == 0 || losses_M == null) {
            return;
        }
        losses_M.read();
        for (int i = 0; i < filled; i++) {
            sum.add(losses_M.onHost().get(i));
        }
        filled = 0;
    }
}
