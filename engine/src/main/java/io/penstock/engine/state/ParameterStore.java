package io.penstock.engine.state;

import io.penstock.models.EmbeddingSpec;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSource;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.memory.MemoryPlanner;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Owner of a rank's parameters, gradients and optimizer states. */
public final class ParameterStore implements AutoCloseable {
    private final Backend backend;
    private final CarvedMemory parameters;
    private final CarvedMemory gradients;
    private final CarvedMemory optimizer;
    private final Map<String, ParameterState> states = new LinkedHashMap<>();
    private final boolean bothTiedSides;

    private ParameterStore(
            Backend backend,
            CarvedMemory parameters,
            CarvedMemory gradients,
            CarvedMemory optimizer,
            List<LayerSpec> layers) {
        this.backend = backend;
        this.parameters = parameters;
        this.gradients = gradients;
        this.optimizer = optimizer;
        this.bothTiedSides = layers.stream().anyMatch(EmbeddingSpec.class::isInstance)
                && layers.stream().anyMatch(HeadSpec.class::isInstance);
    }

    /** {@code layers}: all layers of the rank, in model order. */
    public static ParameterStore allocate(
            RankMemory memory, List<LayerSpec> layers, Backend backend, MemoryLedger ledger) {
        ParameterStore store = new ParameterStore(
                backend,
                CarvedMemory.allocate("parameters", memory.parameters(), ledger),
                CarvedMemory.allocate("gradients", memory.gradients(), ledger),
                CarvedMemory.allocate("optimizer", memory.optimizer(), ledger),
                layers);
        for (ParameterSpec spec : MemoryPlanner.distinctParameters(layers)) {
            store.states.put(spec.name(), store.state(spec, memory));
        }
        return store;
    }

    /** Without gradients and moments: layers can run forward only; a gradient is a view of its parameter that nobody may write. */
    public static ParameterStore forInference(
            RankMemory memory, List<LayerSpec> layers, Backend backend, MemoryLedger ledger) {
        TensorTable none = TensorTable.builder().build();
        CarvedMemory parameters = CarvedMemory.allocate("parameters", memory.parameters(), ledger);
        ParameterStore store = new ParameterStore(
                backend,
                parameters,
                CarvedMemory.allocate("gradients", none, ledger),
                CarvedMemory.allocate("optimizer", none, ledger),
                layers);
        for (ParameterSpec spec : MemoryPlanner.distinctParameters(layers)) {
            Tensor master = parameters.tensor(TensorNames.master(spec.name()));
            store.states.put(spec.name(), new ParameterState(spec, master, null, master, null, master, master));
        }
        return store;
    }

    private ParameterState state(ParameterSpec spec, RankMemory memory) {
        String working = TensorNames.working(spec.name());
        return new ParameterState(
                spec,
                parameters.tensor(TensorNames.master(spec.name())),
                memory.parameters().contains(working) ? parameters.tensor(working) : null,
                gradients.tensor(TensorNames.gradient(spec.name())),
                spec.tied() ? gradients.tensor(TensorNames.tiedGradient(spec.name())) : null,
                optimizer.tensor(TensorNames.firstMoment(spec.name())),
                optimizer.tensor(TensorNames.secondMoment(spec.name())));
    }

    /** Every parameter of the rank once, in canonical order. */
    public List<ParameterState> states() {
        return new ArrayList<>(states.values());
    }

    /** What {@code layer} computes with and accumulates into. */
    public ParameterSource sourceFor(LayerSpec layer) {
        return name -> {
            ParameterState state = states.get(name);
            if (state == null) {
                throw new IllegalStateException("layer " + layer.name() + " asks for parameter '" + name
                        + "', the rank holds " + states.keySet());
            }
            Tensor tied = state.tiedGradient();
            Tensor gradient = tied != null && bothTiedSides && layer instanceof HeadSpec ? tied : state.gradient();
            return new Parameter(state.spec(), state.value(), gradient);
        };
    }

    /** Whether this rank holds embedding and head of a tied parameter, so that their gradients are summed here without a message. */
    public boolean holdsBothTiedSides() {
        return bothTiedSides;
    }

    /** Rounds every master into its working copy: after initialisation or loading. */
    public void refreshWorking() {
        for (ParameterState state : states.values()) {
            Tensor working = state.working();
            if (working != null) {
                backend.copy(working, state.master());
            }
        }
    }

    @Override
    public void close() {
        optimizer.close();
        gradients.close();
        parameters.close();
    }
}
