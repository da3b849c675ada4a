package io.penstock.engine.planning;

import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.partitioner.LayerSeconds;
import io.penstock.tensor.DType;
import java.util.HashMap;
import java.util.Map;

/** What one rank's part of each layer takes: the whole layer's time by the part's share of its work. */
final class SharedLayers implements LayerSeconds {
    private final Map<String, LayerSpec> whole = new HashMap<>();
    private final LayerSeconds seconds;
    private final MicroBatchShape microBatch;
    private final DType compute;
    private final boolean shared;

    /** {@code seconds}: of the layers of {@code model}; {@code part}: the same model for one rank of those that share each layer. */
    SharedLayers(ModelSpec model, ModelSpec part, LayerSeconds seconds, MicroBatchShape microBatch, DType compute) {
        this.seconds = seconds;
        this.microBatch = microBatch;
        this.compute = compute;
        this.shared = part.split().size() > 1;
        for (LayerSpec layer : model.layers()) {
            whole.put(layer.name(), layer);
        }
    }

    @Override
    public PhaseSeconds of(LayerSpec layer) {
        LayerSpec original = whole.get(layer.name());
        if (!shared || original == null) {
            return seconds.of(layer);
        }
        PhaseSeconds all = seconds.of(original);
        PhaseSeconds part = CostModel.seconds(layer, microBatch, compute, DeviceRates.cpu(compute));
        PhaseSeconds work = CostModel.seconds(original, microBatch, compute, DeviceRates.cpu(compute));
        return new PhaseSeconds(
                share(all.forward(), part.forward(), work.forward()),
                share(all.backwardInput(), part.backwardInput(), work.backwardInput()),
                share(all.backwardWeight(), part.backwardWeight(), work.backwardWeight()),
                share(all.backward(), part.backward(), work.backward()));
    }

    private static double share(double seconds, double part, double work) {
        return work > 0 ? seconds * part / work : seconds;
    }
}
