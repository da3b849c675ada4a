package io.penstock.engine.execution;

import io.penstock.engine.sharding.LayerStates;
import io.penstock.engine.state.ActivationPool;
import io.penstock.engine.state.ParameterStore;
import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.Embedding;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.Head;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.Recomputation;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.memory.SavedTables;
import io.penstock.partitioner.memory.Slots;
import io.penstock.partitioner.memory.TensorNames;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Binds the layers of a chunk to their parameters and slots. */
public final class ChunkBuilder {
    private final Backend backend;
    private final ParameterStore parameters;
    private final LayerStates states;
    private final ActivationPool pool;
    private final MicroBatchShape microBatch;
    private final DType compute;
    private final TensorGroup group;
    private final OffloadedSlots offloaded;
    private final MicroBatchLosses losses;
    private final ActivationSlots inTurn = ActivationSlots.inTurn(OffloadedSlots.RESIDENT);
    private final RecomputedRegion region = new RecomputedRegion();

    /** {@code group}: the ranks that share each layer; {@code offloaded}: the rank's activations that do not stay; {@code losses}: where those of its head go. */
    public ChunkBuilder(
            Backend backend,
            ParameterStore parameters,
            LayerStates states,
            ActivationPool pool,
            MicroBatchShape microBatch,
            DType compute,
            TensorGroup group,
            OffloadedSlots offloaded,
            MicroBatchLosses losses) {
        this.losses = losses;
        this.offloaded = offloaded;
        this.group = group;
        this.backend = backend;
        this.parameters = parameters;
        this.states = states;
        this.pool = pool;
        this.microBatch = microBatch;
        this.compute = compute;
    }

    /**
     * @param chunk its number on the rank, as in the names of the plan's tables
     * @param recomputation of each of {@code layers}
     */
    public ChunkRunner build(int chunk, List<LayerSpec> layers, List<Recomputation> recomputation, Slots inFlight) {
        Slots slots = offloaded.isEmpty() ? inFlight : new Slots(OffloadedSlots.RESIDENT, inFlight.stashes());
        @Nullable Embedding embedding = null;
        List<BlockRunner<?, ?>> blocks = new ArrayList<>();
        @Nullable HeadRunner<?> head = null;
        for (int i = 0; i < layers.size(); i++) {
            LayerSpec layer = layers.get(i);
            switch (layer) {
                case EmbeddingSpec spec -> embedding = spec.bind(context(spec));
                case BlockSpec spec ->
                    blocks.add(blockRunner(spec, spec.bind(context(spec)), recomputation.get(i), chunk, i, slots));
                case HeadSpec spec -> {
                    TensorSource scratch = pool.stash().under(TensorNames.HEAD_SCRATCH);
                    head = headRunner(spec.bind(context(spec).withScratch(scratch)), chunk, i, slots);
                }
            }
        }
        return new ChunkRunner(
                chunk,
                backend,
                states,
                embedding,
                blocks,
                head,
                memory(chunk, layers, slots),
                offloaded.isEmpty() ? ActivationSlots.kept(slots.activations()) : inTurn,
                slots.stashes());
    }

    private LayerContext context(LayerSpec layer) {
        TensorTable scratch = layer.scratch(microBatch, compute);
        TensorSource tensors = scratch.entries().isEmpty()
                ? TensorSource.NONE
                : CarvedMemory.over(pool.stash().tensor(TensorNames.SHARED_SCRATCH), scratch);
        return new LayerContext(backend, parameters.sourceFor(layer), tensors, microBatch, compute, group);
    }

    private <S, G> BlockRunner<S, G> blockRunner(
            BlockSpec spec, Block<S, G> block, Recomputation recomputation, int chunk, int layer, Slots slots) {
        BlockRunner.Saved<S> saved = saved(spec, block, recomputation, chunk, layer, slots);
        List<G> stashes = slots.stashes() == 0
                ? List.of(block.stash(sharedStash(spec)))
                : perSlot(
                        slots.stashes(),
                        k -> block.stash(pool.stash()
                                .under(TensorNames.stashSlot(chunk, k))
                                .under(TensorNames.stash(layer))));
        return new BlockRunner<>(
                block, recomputation, region, slots.stashes() == 0, inputs(chunk, layer, slots), saved, stashes);
    }

    private <S> BlockRunner.Saved<S> saved(
            BlockSpec spec, Block<S, ?> block, Recomputation recomputation, int chunk, int layer, Slots slots) {
        SavedTables tables = SavedTables.of(spec, recomputation, microBatch, compute);
        TensorSource shared = tables.recomputed().entries().isEmpty()
                ? TensorSource.NONE
                : CarvedMemory.over(pool.stash().tensor(TensorNames.SHARED_RECOMPUTED), tables.recomputed());
        IntFunction<TensorSource> kept = s -> slot(chunk, s).under(TensorNames.saved(layer));
        List<S> forward = perSlot(slots.activations(), s -> block.saved(either(tables, kept.apply(s), shared)));
        if (recomputation == Recomputation.NONE || slots.stashes() == 0) {
            return new BlockRunner.Saved<>(forward, perSlot(slots.activations(), s -> List.of(forward.get(s))));
        }
        IntFunction<TensorSource> stashed =
                k -> pool.stash().under(TensorNames.stashSlot(chunk, k)).under(TensorNames.recomputed(layer));
        return new BlockRunner.Saved<>(
                forward,
                perSlot(
                        slots.activations(),
                        s -> perSlot(
                                slots.stashes(), k -> block.saved(either(tables, kept.apply(s), stashed.apply(k))))));
    }

    private static TensorSource either(SavedTables tables, TensorSource kept, TensorSource recomputed) {
        return name -> (tables.kept().contains(name) ? kept : recomputed).tensor(name);
    }

    private TensorSource sharedStash(BlockSpec spec) {
        return CarvedMemory.over(pool.stash().tensor(TensorNames.SHARED_STASH), spec.stash(microBatch, compute));
    }

    private <S> HeadRunner<S> headRunner(Head<S> head, int chunk, int layer, Slots slots) {
        return new HeadRunner<>(
                head,
                inputs(chunk, layer, slots),
                perSlot(slots.activations(), s -> slot(chunk, s).tensor(TensorNames.targets())),
                perSlot(slots.activations(), s -> head.saved(slot(chunk, s).under(TensorNames.saved(layer)))),
                losses);
    }

    private TensorSource slot(int chunk, int slot) {
        return offloaded.isEmpty()
                ? pool.activations().under(TensorNames.slot(chunk, slot))
                : CarvedMemory.over(
                        pool.activations().tensor(TensorNames.region(slot)),
                        offloaded.slots().get(chunk));
    }

    private List<Tensor> inputs(int chunk, int layer, Slots slots) {
        return perSlot(slots.activations(), s -> slot(chunk, s).tensor(TensorNames.input(layer)));
    }

    private ChunkRunner.Memory memory(int chunk, List<LayerSpec> layers, Slots slots) {
        boolean first = layers.get(0) instanceof EmbeddingSpec;
        boolean last = layers.get(layers.size() - 1) instanceof HeadSpec;
        boolean fused = slots.stashes() == 0;
        List<List<Tensor>> inputs = new ArrayList<>();
        List<List<Tensor>> stashed = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            int layer = i;
            inputs.add(layers.get(i) instanceof EmbeddingSpec ? List.of() : inputs(chunk, i, slots));
            stashed.add(
                    fused || layers.get(i) instanceof HeadSpec
                            ? List.of()
                            : perSlot(
                                    slots.stashes(),
                                    k -> pool.stash()
                                            .under(TensorNames.stashSlot(chunk, k))
                                            .tensor(TensorNames.outputGradient(layer))));
        }
        IntFunction<Tensor> tokens = s -> slot(chunk, s).tensor(TensorNames.tokens());
        IntFunction<Tensor> targets = s -> slot(chunk, s).tensor(TensorNames.targets());
        return new ChunkRunner.Memory(
                perSlot(first ? slots.activations() : 0, tokens),
                perSlot(last ? slots.activations() : 0, targets),
                inputs,
                pair(!last, parity -> TensorNames.sendActivation(chunk, parity)),
                pair(!first, parity -> TensorNames.sendGradient(chunk, parity)),
                pair(!last && fused, parity -> TensorNames.receiveGradient(chunk, parity)),
                pair(!first && !offloaded.isEmpty(), parity -> TensorNames.receiveActivation(chunk, parity)),
                pair(fused, TensorNames::gradientStream),
                stashed);
    }

    private List<Tensor> pair(boolean present, IntFunction<String> name) {
        return perSlot(present ? 2 : 0, parity -> pool.buffers().tensor(name.apply(parity)));
    }

    private static <X> List<X> perSlot(int count, IntFunction<X> make) {
        List<X> made = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            made.add(make.apply(i));
        }
        return List.copyOf(made);
    }
}
