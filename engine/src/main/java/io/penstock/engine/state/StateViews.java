package io.penstock.engine.state;

import io.penstock.models.BlockSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Cuts the states of parameters out of a rank's memory as {@link StateLayout} lays them out. */
final class StateViews {
    private final StateLayout layout;
    private final int replica;
    private final TensorSource parameters;
    private final TensorSource gradients;
    private final TensorSource masters;
    private final TensorSource moments;
    private final Map<String, Tensor> valueWindows = new HashMap<>();
    private final Map<String, Tensor> gradientWindows = new HashMap<>();

    /** {@code masters}: those that are memory of their own. */
    StateViews(
            StateLayout layout,
            int replica,
            TensorSource parameters,
            TensorSource gradients,
            TensorSource masters,
            TensorSource moments) {
        this.layout = layout;
        this.replica = replica;
        this.parameters = parameters;
        this.gradients = gradients;
        this.masters = masters;
        this.moments = moments;
        List<BlockSpec> blocks = layout.blocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (layout.windowsParameters()) {
                window(valueWindows, blocks.get(i), i, TensorNames.VALUE_WINDOW, parameters, layout.compute());
            }
            if (layout.windowsGradients()) {
                DType accumulator = layout.compute().accumulator();
                window(gradientWindows, blocks.get(i), i, TensorNames.GRADIENT_WINDOW, gradients, accumulator);
            }
        }
    }

    private void window(
            Map<String, Tensor> windows, BlockSpec block, int number, String prefix, TensorSource memory, DType type) {
        Tensor region = memory.tensor(TensorNames.window(prefix, number % layout.windows()));
        TensorSource carved = CarvedMemory.over(region, layout.windowTable(block, type));
        for (ParameterSpec parameter : block.parameters()) {
            if (parameter.isMatrix()) {
                windows.put(parameter.name(), carved.tensor(parameter.name()));
            }
        }
    }

    ParameterState state(ParameterSpec spec) {
        String name = spec.name();
        boolean windowed = layout.windowsValue(spec);
        boolean apart = layout.hasMaster(spec);
        Tensor whole = windowed
                ? required(valueWindows, name)
                : parameters.tensor(apart ? TensorNames.working(name) : TensorNames.master(name));
        boolean part = layout.sharding().shardsOptimizer();
        Tensor updatedValue = part && !windowed ? shard(whole, spec) : whole;
        boolean here = spec.tied() && layout.bothTiedSides();
        return new ParameterState(
                spec,
                view(whole, spec),
                whole,
                windowed,
                part
                        ? Math.min(
                                replica * layout.shardElements(spec),
                                spec.shape().elements())
                        : 0,
                apart ? masters.tensor(TensorNames.master(name)) : updatedValue,
                apart && !windowed ? updatedValue : null,
                gradient(spec, name, gradientWindow(spec, name)),
                here
                        ? gradient(spec, TensorNames.tiedSide(name), gradients.tensor(TensorNames.tiedGradient(name)))
                        : null,
                spec.tied() && !here ? gradients.tensor(TensorNames.tiedGradient(name)) : null,
                moments.tensor(TensorNames.firstMoment(name)),
                moments.tensor(TensorNames.secondMoment(name)));
    }

    private Tensor gradientWindow(ParameterSpec spec, String name) {
        return layout.windowsGradient(spec)
                ? required(gradientWindows, name)
                : gradients.tensor(TensorNames.gradient(name));
    }

    private GradientSum gradient(ParameterSpec spec, String name, Tensor whole) {
        Tensor shard = layout.sharding().data() == 1 ? whole : shard(whole, spec);
        Tensor total = shard;
        if (layout.windowsGradient(spec)) {
            total = gradients.tensor(TensorNames.gradient(name));
        } else if (layout.keepsSumApart(spec)) {
            total = gradients.tensor(TensorNames.sum(name));
        }
        List<Tensor> held = new ArrayList<>();
        for (int level = 0; level < layout.heldLevels(); level++) {
            held.add(gradients.tensor(TensorNames.held(name, level)));
        }
        return new GradientSum(whole, shard, List.copyOf(held), total);
    }

    private static Tensor required(Map<String, Tensor> windows, String name) {
        @Nullable Tensor window = windows.get(name);
        if (window == null) {
            throw new IllegalStateException("no window holds '" + name + "'");
        }
        return window;
    }

    private Tensor shard(Tensor whole, ParameterSpec spec) {
        long elements = layout.shardElements(spec);
        return whole.slice(replica * elements, elements);
    }

    /** The parameter in its own dims, without padding. */
    static Tensor view(Tensor whole, ParameterSpec spec) {
        Shape shape = spec.shape();
        return whole.shape().equals(shape)
                ? whole
                : whole.slice(0, shape.elements()).reshape(shape);
    }
}
