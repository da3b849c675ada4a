package io.penstock.engine.sharding;

import io.penstock.engine.state.GradientSum;
import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.ParameterStore;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.Sharding;
import io.penstock.partitioner.memory.StateLayout;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Parameters and gradients that replicas share as {@link Sharding} says, ZeRO with the pipeline (Rajbhandari et al. 2020). */
public final class SharedStates implements LayerStates {
    /** What a layer has of the rank's states; {@code block}: its number among the rank's blocks, -1 for embedding and head. */
    private record Share(int block, GradientBucket byInput, GradientBucket byWeight) {}

    private final ParameterStore store;
    private final List<ParameterState> states;
    private final Sharding sharding;
    private final Backend backend;
    private final DataGroup group;
    private final GradientBuckets buckets;
    private final @Nullable ParameterWindows windows;
    private final List<List<Share>> shares = new ArrayList<>();
    /** Where replicas share nothing but the work, all gradients; else the values that every replica holds, of each type. */
    private final List<CommonTensors> gathered;

    private final @Nullable Operation[] gathers;

    /**
     * @param chunks the layers of the rank's chunks
     * @param replica the place of this rank among its replicas
     * @param microBatches that each replica runs in a step
     */
    public SharedStates(
            ParameterStore store,
            List<List<LayerSpec>> chunks,
            DataGroup group,
            int replica,
            int microBatches,
            Backend backend) {
        StateLayout layout = store.layout();
        this.store = store;
        this.states = store.states();
        this.sharding = layout.sharding();
        this.backend = backend;
        this.group = group;
        this.buckets = new GradientBuckets(group, backend, sharding, microBatches, layout.windows());
        this.gathered = sharding.shardsOptimizer() ? values() : gradients();
        this.gathers = new Operation[gathered.size()];
        List<List<ParameterState>> blocks = new ArrayList<>();
        for (List<LayerSpec> chunk : chunks) {
            List<Share> ofChunk = new ArrayList<>();
            for (LayerSpec layer : chunk) {
                ofChunk.add(share(layout, layer, layer instanceof BlockSpec ? blocks.size() : -1));
                if (layer instanceof BlockSpec) {
                    blocks.add(windowed(layer));
                }
            }
            shares.add(List.copyOf(ofChunk));
        }
        this.windows = layout.windowsParameters()
                ? new ParameterWindows(
                        store.parameterMemory(), group, backend, replica, blocks, layout.windows(), store.residency())
                : null;
    }

    private List<CommonTensors> gradients() {
        List<Tensor> wholes =
                states.stream().map(state -> state.gradient().whole()).toList();
        return List.of(CommonTensors.of(store.gradientMemory(), wholes));
    }

    private List<CommonTensors> values() {
        return states.stream()
                .filter(state -> !state.windowed())
                .map(ParameterState::wholeValue)
                .collect(Collectors.groupingBy(Tensor::dtype, TreeMap::new, Collectors.toList()))
                .values()
                .stream()
                .map(values -> CommonTensors.of(store.parameterMemory(), values))
                .toList();
    }

    private List<ParameterState> windowed(LayerSpec layer) {
        return layer.parameters().stream()
                .map(parameter -> store.state(parameter.name()))
                .filter(ParameterState::windowed)
                .toList();
    }

    private Share share(StateLayout layout, LayerSpec layer, int block) {
        List<GradientSum> byInput = new ArrayList<>();
        List<GradientSum> byWeight = new ArrayList<>();
        boolean inWindow = false;
        for (ParameterSpec parameter : layer.parameters()) {
            boolean input = layer.completedByInputGradient().contains(parameter.name());
            (input ? byInput : byWeight).add(store.gradientFor(layer, parameter.name()));
            inWindow |= layout.windowsGradient(parameter);
        }
        return new Share(
                block,
                new GradientBucket(store.gradientMemory(), byInput, -1),
                new GradientBucket(store.gradientMemory(), byWeight, inWindow ? block % layout.windows() : -1));
    }

    private Share share(int chunk, int layer) {
        return shares.get(chunk).get(layer);
    }

    @Override
    public void beforeForward(int chunk, int layer) {
        require(chunk, layer, layer + 1);
    }

    /** The layer's parameters now, and those of {@code next} soon. */
    private void require(int chunk, int layer, int next) {
        if (windows == null) {
            group.poll();
            return;
        }
        int block = share(chunk, layer).block();
        if (block >= 0) {
            windows.require(block);
        }
        if (next >= 0 && next < shares.get(chunk).size() && share(chunk, next).block() >= 0) {
            windows.prefetch(share(chunk, next).block());
        }
    }

    @Override
    public void beforeInputGradient(int chunk, int layer, int microBatch) {
        require(chunk, layer, layer - 1);
        buckets.begin(share(chunk, layer).byInput(), microBatch);
    }

    @Override
    public void afterInputGradient(int chunk, int layer, int microBatch) {
        buckets.end(share(chunk, layer).byInput(), microBatch);
    }

    @Override
    public void beforeWeightGradient(int chunk, int layer, int microBatch) {
        buckets.begin(share(chunk, layer).byWeight(), microBatch);
    }

    @Override
    public void afterWeightGradient(int chunk, int layer, int microBatch) {
        buckets.end(share(chunk, layer).byWeight(), microBatch);
    }

    @Override
    public void gather(int chunk, boolean fromEnd) {
        List<Share> layers = shares.get(chunk);
        for (int i = 0; i < layers.size() && windows != null; i++) {
            int block = layers.get(fromEnd ? layers.size() - 1 - i : i).block();
            if (block >= 0) {
                windows.prefetch(block);
                return;
            }
        }
    }

    @Override
    public void release(int chunk) {
        List<Share> layers = shares.get(chunk);
        for (int i = 0; i < layers.size() && windows != null; i++) {
            if (layers.get(i).block() >= 0) {
                windows.release(layers.get(i).block());
            }
        }
    }

    /** Every bucket of the leaf was started behind its layer. */
    @Override
    public void reduce(int chunk, int leaf) {
        group.poll();
    }

    /** Moves on what is under way among replicas, without waiting. */
    public void poll() {
        group.poll();
    }

    /** Waits for all sums over replicas: every {@link GradientSum#total} is the step's then. */
    public void finishReductions() {
        buckets.finishAll();
    }

    /** Where replicas share nothing but the work: makes every replica's gradients whole from their shards. */
    public void gatherGradients() {
        if (group.size() == 1 || sharding.shardsOptimizer()) {
            return;
        }
        for (int i = 0; i < states.size(); i++) {
            GradientSum gradient = states.get(i).gradient();
            if (gradient.total() != gradient.shard()) {
                backend.copy(gradient.shard(), gradient.total());
            }
        }
        startGathers();
        awaitGathers();
    }

    /** After the update: makes values whole from their shards, and gradients ready for the next step. */
    public void afterUpdate() {
        startValues();
        for (int i = 0; i < states.size() && sharding.shardsOptimizer(); i++) {
            states.get(i).gradient().clear(backend);
            group.poll();
        }
        awaitGathers();
        if (windows != null) {
            windows.releaseAll();
        }
    }

    /** Instead of an update: values stay, gradients are thrown away. */
    public void withoutUpdate() {
        for (int i = 0; i < states.size(); i++) {
            states.get(i).gradient().discard(backend);
            group.poll();
        }
    }

    private void startValues() {
        if (sharding.shardsOptimizer()) {
            startGathers();
        }
    }

    /** After initialisation or loading of the masters: makes values from them. */
    public void gatherValues() {
        startValues();
        awaitGathers();
        if (windows != null) {
            windows.releaseAll();
        }
    }

    private void startGathers() {
        for (int i = 0; i < gathers.length; i++) {
            gathers[i] = group.startGather(gathered.get(i));
        }
    }

    private void awaitGathers() {
        for (int i = 0; i < gathers.length; i++) {
            group.await(gathers[i]);
            gathers[i] = null;
        }
    }
}
