package io.penstock.partitioner.memory;

import io.penstock.models.BlockSpec;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.Plan.StageLayers;
import io.penstock.partitioner.RankMemory;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.InFlight;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Adds up what a rank will allocate, tensor by tensor. Pure. */
public final class MemoryPlanner {
    /** A rank's share of the collectives' scratch; no large reduction passes there. */
    private static final long COLLECTIVE_SCRATCH_DOUBLES = 32;
    /** Reductions over replicas go in pieces of 1 MiB a replica, one on its way while one is summed. */
    private static final long DATA_SLOTS = 2;

    private static final long DATA_CHUNK_FLOATS = 1 << 18;
    /** Of a piece, one for each level of the tree over replicas. */
    private static final long DATA_SUM_FLOATS = 1 << 10;
    /** Sums over a tensor group go in pieces of at most 2 MiB a rank: a shard of most micro-batches. */
    private static final long TENSOR_CHUNK_BYTES = 2 << 20;

    private static final long TENSOR_SUM_BYTES = 8 << 10;

    private final ModelSpec model;
    private final MicroBatchShape microBatch;
    private final DType compute;
    private final Techniques techniques;
    private final long workspaceBytes;

    /** {@code workspaceBytes}: what the backend says it holds for its kernels. */
    public MemoryPlanner(
            ModelSpec model, MicroBatchShape microBatch, DType compute, Techniques techniques, long workspaceBytes) {
        this.model = model;
        this.microBatch = microBatch;
        this.compute = compute;
        this.techniques = techniques;
        this.workspaceBytes = workspaceBytes;
    }

    /** The memory of every pipeline rank of a schedule. */
    public List<RankMemory> plan(Schedule schedule, List<StageLayers> stages) {
        InFlight inFlight = InFlight.of(schedule);
        List<RankMemory> ranks = new ArrayList<>();
        for (int rank = 0; rank < schedule.ranks(); rank++) {
            ranks.add(rank(schedule, inFlight, stages, rank));
        }
        return ranks;
    }

    private RankMemory rank(Schedule schedule, InFlight inFlight, List<StageLayers> stages, int rank) {
        List<List<LayerSpec>> chunks = new ArrayList<>();
        List<List<SavedTables>> saved = new ArrayList<>();
        for (int stage : schedule.stageOf().get(rank)) {
            int from = stages.get(stage).from();
            int to = stages.get(stage).to();
            chunks.add(model.layers().subList(from, to));
            saved.add(saved(from, to));
        }
        TensorTable.Builder activations = TensorTable.builder();
        TensorTable.Builder stash = TensorTable.builder();
        TensorTable.Builder buffers = TensorTable.builder();
        OffloadedSlots offloaded = offloadedSlots(inFlight, chunks, saved, rank);
        addRegions(activations, offloaded);
        boolean fused = false;
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            Slots slots = Slots.of(inFlight, rank, chunk);
            List<LayerSpec> layers = chunks.get(chunk);
            for (int slot = 0; offloaded.isEmpty() && slot < slots.activations(); slot++) {
                addSlot(activations, TensorNames.slot(chunk, slot), layers, saved.get(chunk));
            }
            for (int k = 0; k < slots.stashes(); k++) {
                addStashSlot(stash, TensorNames.stashSlot(chunk, k), layers, saved.get(chunk));
            }
            fused |= slots.stashes() == 0;
            addMessages(buffers, chunk, layers, slots.stashes() == 0);
            addReceives(buffers, chunk, layers, offloaded);
        }
        List<LayerSpec> all = chunks.stream().flatMap(List::stream).toList();
        if (fused) {
            addSharedStash(stash, buffers, all);
        }
        addSharedRecomputed(stash, saved);
        addSharedScratch(stash, all);
        addTensorScratch(buffers);
        addHeadScratch(stash, all);
        addLosses(buffers, all, schedule.microBatches());
        addStatistics(
                buffers,
                schedule.ranks() * techniques.sharding().data() * model.split().size());
        StateLayout states =
                new StateLayout(all, compute, techniques.sharding(), techniques.offloading(), schedule.microBatches());
        return new RankMemory(
                states.parameterTable(),
                states.gradientTable(),
                states.optimizerTable(),
                activations.build(),
                stash.build(),
                buffers.build(),
                workspaceBytes,
                states.storeTable(),
                offloaded);
    }

    /** None if they are to stay, or the rank would hold no less without them. */
    private OffloadedSlots offloadedSlots(
            InFlight inFlight, List<List<LayerSpec>> chunks, List<List<SavedTables>> saved, int rank) {
        if (!techniques.offloading().ofActivations()) {
            return OffloadedSlots.NONE;
        }
        List<TensorTable> slots = new ArrayList<>();
        List<Integer> held = new ArrayList<>();
        TensorTable.Builder receives = TensorTable.builder();
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            TensorTable.Builder slot = TensorTable.builder();
            addSlot(slot, "", chunks.get(chunk), saved.get(chunk));
            slots.add(slot.build());
            held.add(Slots.of(inFlight, rank, chunk).activations());
        }
        OffloadedSlots offloaded = new OffloadedSlots(slots, held);
        for (int chunk = 0; chunk < chunks.size(); chunk++) {
            addReceives(receives, chunk, chunks.get(chunk), offloaded);
        }
        return offloaded.isWorthIt(receives.build().totalBytes()) ? offloaded : OffloadedSlots.NONE;
    }

    private static void addRegions(TensorTable.Builder activations, OffloadedSlots offloaded) {
        for (int region = 0; !offloaded.isEmpty() && region < OffloadedSlots.RESIDENT; region++) {
            activations.add(TensorNames.region(region), DType.F32, OffloadedSlots.flat(offloaded.regionBytes()));
        }
    }

    private void addReceives(TensorTable.Builder buffers, int chunk, List<LayerSpec> layers, OffloadedSlots offloaded) {
        boolean first = layers.get(0) instanceof EmbeddingSpec;
        for (int parity = 0; !offloaded.isEmpty() && !first && parity < 2; parity++) {
            buffers.add(TensorNames.receiveActivation(chunk, parity), compute, hidden());
        }
    }

    private Shape hidden() {
        return model.hidden(microBatch);
    }

    private Shape ids() {
        return Shape.of(microBatch.batch(), microBatch.sequence());
    }

    private List<SavedTables> saved(int from, int to) {
        List<SavedTables> saved = new ArrayList<>();
        for (int layer = from; layer < to; layer++) {
            saved.add(SavedTables.of(model.layers().get(layer), techniques.recomputation(layer), microBatch, compute));
        }
        return saved;
    }

    private void addSlot(TensorTable.Builder table, String prefix, List<LayerSpec> layers, List<SavedTables> saved) {
        for (int i = 0; i < layers.size(); i++) {
            LayerSpec layer = layers.get(i);
            switch (layer) {
                case EmbeddingSpec e -> table.add(prefix + TensorNames.tokens(), DType.I32, ids());
                case BlockSpec b -> table.add(prefix + TensorNames.input(i), compute, hidden());
                case HeadSpec h ->
                    table.add(prefix + TensorNames.input(i), compute, hidden())
                            .add(prefix + TensorNames.targets(), DType.I32, ids());
            }
            table.addAll(prefix + TensorNames.saved(i), saved.get(i).kept());
        }
    }

    private void addStashSlot(
            TensorTable.Builder table, String prefix, List<LayerSpec> layers, List<SavedTables> saved) {
        for (int i = 0; i < layers.size(); i++) {
            if (!(layers.get(i) instanceof HeadSpec)) {
                table.add(prefix + TensorNames.outputGradient(i), compute, hidden());
            }
            if (layers.get(i) instanceof BlockSpec block) {
                table.addAll(prefix + TensorNames.stash(i), block.stash(microBatch, compute));
                table.addAll(prefix + TensorNames.recomputed(i), saved.get(i).recomputed());
            }
        }
    }

    private void addSharedStash(TensorTable.Builder stash, TensorTable.Builder buffers, List<LayerSpec> layers) {
        long bytes = 0;
        for (LayerSpec layer : layers) {
            if (layer instanceof BlockSpec block) {
                bytes = Math.max(bytes, block.stash(microBatch, compute).totalBytes());
            }
        }
        if (bytes > 0) {
            stash.add(TensorNames.SHARED_STASH, DType.F32, Shape.of(bytes / DType.F32.bytes()));
        }
        for (int parity = 0; parity < 2; parity++) {
            buffers.add(TensorNames.gradientStream(parity), compute, hidden());
        }
    }

    /** Forward writes here what it need not keep; where backward is fused, so does the forward that runs again. */
    private static void addSharedRecomputed(TensorTable.Builder stash, List<List<SavedTables>> saved) {
        long bytes = 0;
        for (List<SavedTables> chunk : saved) {
            for (SavedTables layer : chunk) {
                bytes = Math.max(bytes, layer.recomputed().totalBytes());
            }
        }
        if (bytes > 0) {
            stash.add(TensorNames.SHARED_RECOMPUTED, DType.F32, Shape.of(bytes / DType.F32.bytes()));
        }
    }

    private void addSharedScratch(TensorTable.Builder stash, List<LayerSpec> layers) {
        long bytes = 0;
        for (LayerSpec layer : layers) {
            bytes = Math.max(bytes, layer.scratch(microBatch, compute).totalBytes());
        }
        if (bytes > 0) {
            stash.add(TensorNames.SHARED_SCRATCH, DType.F32, Shape.of(bytes / DType.F32.bytes()));
        }
    }

    /** For two pieces from each rank of the group, one on its way while one is summed, and for the sum. */
    private void addTensorScratch(TensorTable.Builder buffers) {
        int size = model.split().size();
        if (size == 1) {
            return;
        }
        long shard =
                model.split().largestPart(microBatch.rows()) * model.config().hiddenSize() * compute.bytes();
        long chunk = TensorTable.align(Math.min(shard, TENSOR_CHUNK_BYTES));
        buffers.add(TensorNames.TENSOR_SCRATCH, DType.F32, Shape.of(2L, size, chunk / DType.F32.bytes()))
                .add(TensorNames.TENSOR_SUM, DType.F32, Shape.of(TENSOR_SUM_BYTES / DType.F32.bytes()));
    }

    private void addHeadScratch(TensorTable.Builder stash, List<LayerSpec> layers) {
        for (LayerSpec layer : layers) {
            if (layer instanceof HeadSpec) {
                stash.addAll(TensorNames.HEAD_SCRATCH, layer.stash(microBatch, compute));
            }
        }
    }

    private static void addLosses(TensorTable.Builder buffers, List<LayerSpec> layers, int microBatches) {
        if (layers.stream().anyMatch(HeadSpec.class::isInstance)) {
            buffers.add(TensorNames.LOSSES, DType.F64, Shape.of(microBatches));
        }
    }

    private void addStatistics(TensorTable.Builder buffers, int ranks) {
        // Two numbers for the loss, and one for each segment of each parameter.
        long numbers = 2
                + (long) distinctParameters(model.layers()).size()
                        * new Segments(0, techniques.sharding().data()).count();
        buffers.add(TensorNames.STATISTICS_OWN, DType.F64, Shape.of(numbers))
                .add(TensorNames.STATISTICS_GATHERED, DType.F64, Shape.of(ranks, numbers))
                .add(TensorNames.COLLECTIVE_SCRATCH, DType.F64, Shape.of(ranks, COLLECTIVE_SCRATCH_DOUBLES));
        int replicas = techniques.sharding().data();
        if (replicas > 1) {
            buffers.add(TensorNames.DATA_SCRATCH, DType.F32, Shape.of(DATA_SLOTS, replicas, DATA_CHUNK_FLOATS))
                    .add(
                            TensorNames.DATA_SUM,
                            DType.F32,
                            Shape.of(Integer.numberOfTrailingZeros(replicas), DATA_SUM_FLOATS));
        }
    }

    private void addMessages(TensorTable.Builder table, int chunk, List<LayerSpec> layers, boolean fused) {
        boolean first = layers.get(0) instanceof EmbeddingSpec;
        boolean last = layers.get(layers.size() - 1) instanceof HeadSpec;
        for (int parity = 0; parity < 2; parity++) {
            if (!last) {
                table.add(TensorNames.sendActivation(chunk, parity), compute, hidden());
                if (fused) {
                    table.add(TensorNames.receiveGradient(chunk, parity), compute, hidden());
                }
            }
            if (!first) {
                table.add(TensorNames.sendGradient(chunk, parity), compute, hidden());
            }
        }
    }

    /** The distinct parameters of layers, in canonical order. */
    public static Set<ParameterSpec> distinctParameters(List<LayerSpec> layers) {
        Set<ParameterSpec> parameters = new LinkedHashSet<>();
        for (LayerSpec layer : layers) {
            parameters.addAll(layer.parameters());
        }
        return parameters;
    }
}
