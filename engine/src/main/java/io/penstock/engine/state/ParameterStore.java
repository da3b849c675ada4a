package io.penstock.engine.state;

import io.penstock.engine.offload.ShardStore;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSource;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.HostAccess;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** Owner of a rank's parameters, gradients and optimizer states. */
public final class ParameterStore implements AutoCloseable {
    private final Backend backend;
    private final StateLayout layout;
    private final CarvedMemory parameters;
    private final CarvedMemory gradients;
    private final CarvedMemory optimizer;
    private final @Nullable ShardStore shards;
    private final Residency residency;
    private final Map<String, ParameterState> states = new LinkedHashMap<>();

    private ParameterStore(
            Backend backend,
            StateLayout layout,
            CarvedMemory parameters,
            CarvedMemory gradients,
            CarvedMemory optimizer,
            @Nullable ShardStore shards) {
        this.backend = backend;
        this.layout = layout;
        this.parameters = parameters;
        this.gradients = gradients;
        this.optimizer = optimizer;
        this.shards = shards;
        this.residency = new Residency(shards);
    }

    /**
     * The tables of {@code memory} are those of {@code layout}.
     *
     * @param replica which shard is this rank's
     * @param forReplicas allocates what replicas sum or gather
     * @param stores opens the place of offloaded states
     */
    public static ParameterStore allocate(
            RankMemory memory,
            StateLayout layout,
            int replica,
            Backend backend,
            MemoryLedger ledger,
            LongFunction<DeviceMemory> forReplicas,
            Function<TensorTable, ShardStore> stores) {
        boolean sums = layout.sharding().data() > 1;
        boolean gathers = sums && layout.sharding().shardsOptimizer();
        ShardStore shards = memory.store().entries().isEmpty() ? null : stores.apply(memory.store());
        ParameterStore store = new ParameterStore(
                backend,
                layout,
                gathers
                        ? CarvedMemory.allocate("parameters", memory.parameters(), ledger, forReplicas)
                        : CarvedMemory.allocate("parameters", memory.parameters(), ledger),
                sums
                        ? CarvedMemory.allocate("gradients", memory.gradients(), ledger, forReplicas)
                        : CarvedMemory.allocate("gradients", memory.gradients(), ledger),
                CarvedMemory.allocate("optimizer", memory.optimizer(), ledger),
                shards);
        StateViews views = new StateViews(
                layout,
                replica,
                store.parameters,
                store.gradients,
                shards == null ? store.parameters : shards,
                shards == null ? store.optimizer : shards);
        for (ParameterSpec spec : layout.parameters()) {
            store.states.put(spec.name(), views.state(spec));
        }
        return store;
    }

    /** Without gradients and moments: layers can run forward only; a gradient is a view of its parameter that nobody may write. */
    public static ParameterStore forInference(
            RankMemory memory, StateLayout layout, Backend backend, MemoryLedger ledger) {
        TensorTable none = TensorTable.builder().build();
        CarvedMemory parameters = CarvedMemory.allocate("parameters", memory.parameters(), ledger);
        ParameterStore store = new ParameterStore(
                backend,
                layout,
                parameters,
                CarvedMemory.allocate("gradients", none, ledger),
                CarvedMemory.allocate("optimizer", none, ledger),
                null);
        for (ParameterSpec spec : layout.parameters()) {
            Tensor master = parameters.tensor(TensorNames.master(spec.name()));
            GradientSum gradient = new GradientSum(master, master, List.of(), master);
            store.states.put(
                    spec.name(),
                    new ParameterState(
                            spec, master, master, false, 0, master, null, gradient, null, null, master, master));
        }
        return store;
    }

    /** Every parameter of the rank once, in canonical order. */
    public List<ParameterState> states() {
        return new ArrayList<>(states.values());
    }

    /** Throws {@link IllegalStateException} for a parameter that is not here. */
    public ParameterState state(String name) {
        ParameterState state = states.get(name);
        if (state == null) {
            throw new IllegalStateException("no parameter '" + name + "', the rank holds " + states.keySet());
        }
        return state;
    }

    /** Where all values are, and the masters of this device. */
    public MemorySegment parameterMemory() {
        return parameters.segment();
    }

    /** Where all gradients are. */
    public MemorySegment gradientMemory() {
        return gradients.segment();
    }

    /** What code of the host reads and writes states by. */
    public HostAccess host() {
        return HostAccess.of(backend);
    }

    /** Of the states that are not in device memory. */
    public Residency residency() {
        return residency;
    }

    /** Where the states are that are not in device memory. */
    public Optional<String> elsewhere() {
        return Optional.ofNullable(shards).map(ShardStore::description);
    }

    public StateLayout layout() {
        return layout;
    }

    /** What the gradient of {@code layer}'s parameter is summed from: of a tied one each of its layers has its own. */
    public GradientSum gradientFor(LayerSpec layer, String parameter) {
        ParameterState state = state(parameter);
        GradientSum head = state.headGradient();
        return head != null && layer instanceof HeadSpec ? head : state.gradient();
    }

    /** What {@code layer} computes with and accumulates into. */
    public ParameterSource sourceFor(LayerSpec layer) {
        return name -> {
            ParameterState state = state(name);
            return new Parameter(
                    state.spec(),
                    state.value(),
                    StateViews.view(gradientFor(layer, name).whole(), state.spec()));
        };
    }

    /** Rounds every master into its part of the value: after initialisation or loading. */
    public void refreshWorking() {
        for (ParameterState state : states.values()) {
            Tensor refreshed = state.refreshed();
            if (refreshed != null) {
                backend.copy(refreshed, state.master());
            }
        }
        releaseStates();
    }

    /** All states were read or written, as for a checkpoint: offloaded ones need not stay in memory. */
    public void releaseStates() {
        states.values().forEach(residency::release);
    }

    /** Bytes of the states that are not in device memory. */
    public long offloadedBytes() {
        return shards == null ? 0 : shards.bytes();
    }

    @Override
    public void close() {
        if (shards != null) {
            shards.close();
        }
        optimizer.close();
        gradients.close();
        parameters.close();
    }
}
