package io.penstock.partitioner.memory;

import io.penstock.models.BlockSpec;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.partitioner.Offloading;
import io.penstock.partitioner.Sharding;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.TensorTable;
import java.util.List;
import java.util.Set;

/**
 * Which parts of its parameters, gradients and optimizer states a rank holds, and the tables of them. Used by the planner to add up and by the engine to carve.
 *
 * <p>With several replicas a parameter is padded to {@link Segments} of equal size, and a replica's <em>shard</em> is an equal number of consecutive segments:
 *
 * <pre>
 * | segment 0 | segment 1 | ... | segment 7 |      whole elements, then padding of zeros
 * | shard of replica 0    | shard of replica 1 |   data = 2
 * </pre>
 *
 * <p>A <em>windowed</em> tensor exists whole only while its block is at work: the block number {@code b} of the rank uses window {@code b mod windows}. Only matrices of blocks
 * are; vectors are small, and embedding and head are used by every micro-batch.
 */
public final class StateLayout {
    private final List<LayerSpec> layers;
    private final DType compute;
    private final Sharding sharding;
    private final Offloading offloading;
    private final Set<ParameterSpec> parameters;
    private final boolean windowsGradients;
    private final boolean keepsSumApart;
    private final boolean bothTiedSides;

    /**
     * @param layers all layers of the rank, in the order of its chunks
     * @param microBatches that each replica runs in a step
     */
    public StateLayout(
            List<LayerSpec> layers, DType compute, Sharding sharding, Offloading offloading, int microBatches) {
        this.layers = List.copyOf(layers);
        this.compute = compute;
        this.sharding = sharding;
        this.offloading = offloading;
        this.parameters = MemoryPlanner.distinctParameters(layers);
        this.windowsGradients = sharding.windowsGradients(microBatches);
        this.keepsSumApart = sharding.keepsSumApart(microBatches);
        this.bothTiedSides = layers.stream().anyMatch(EmbeddingSpec.class::isInstance)
                && layers.stream().anyMatch(HeadSpec.class::isInstance);
    }

    /** Every parameter of the rank once, in canonical order. */
    public List<ParameterSpec> parameters() {
        return List.copyOf(parameters);
    }

    public List<BlockSpec> blocks() {
        return layers.stream()
                .filter(BlockSpec.class::isInstance)
                .map(BlockSpec.class::cast)
                .toList();
    }

    /** The type of activations and of the matrices that layers compute with. */
    public DType compute() {
        return compute;
    }

    /** Whether matrices of blocks have whole gradients only while the block is at work. */
    public boolean windowsGradients() {
        return windowsGradients;
    }

    public Sharding sharding() {
        return sharding;
    }

    /** Whether embedding and head of a tied parameter are both here, each with a gradient of its own. */
    public boolean bothTiedSides() {
        return bothTiedSides;
    }

    /** What layers compute with. */
    public DType valueType(ParameterSpec parameter) {
        return parameter.isMatrix() ? compute : compute.accumulator();
    }

    /** The elements of a parameter that every replica holds whole, padding included. */
    public long wholeElements(ParameterSpec parameter) {
        long elements = parameter.shape().elements();
        return sharding.data() == 1 ? elements : new Segments(elements, sharding.data()).paddedElements();
    }

    /** The elements that one replica sums. */
    public long shardElements(ParameterSpec parameter) {
        return wholeElements(parameter) / sharding.data();
    }

    /** The elements that one replica updates. */
    public long updatedElements(ParameterSpec parameter) {
        return sharding.shardsOptimizer() ? shardElements(parameter) : wholeElements(parameter);
    }

    private boolean isMatrixOfBlock(ParameterSpec parameter) {
        return parameter.isMatrix()
                && blocks().stream().anyMatch(block -> block.parameters().contains(parameter));
    }

    /** Whether matrices of blocks are whole only while the block is at work. */
    public boolean windowsParameters() {
        return sharding.windowsParameters() || offloading.ofParameters();
    }

    public boolean windowsValue(ParameterSpec parameter) {
        return windowsParameters() && isMatrixOfBlock(parameter);
    }

    public boolean windowsGradient(ParameterSpec parameter) {
        return windowsGradients && isMatrixOfBlock(parameter);
    }

    /** Whether the master is memory of its own and not the value itself. */
    public boolean hasMaster(ParameterSpec parameter) {
        return windowsValue(parameter) || valueType(parameter) != compute.accumulator();
    }

    /** Windows of whole parameters or gradients; 0 where the rank has no block. */
    public int windows() {
        return Math.min(sharding.window(), blocks().size());
    }

    /** Levels of partial sums that wait for their neighbours in a round. */
    public int heldLevels() {
        return Integer.numberOfTrailingZeros(sharding.leavesOfRound());
    }

    /** Whether the sum of a step's rounds is a shard of its own, beside the gradient of the leaf at work. */
    public boolean keepsSumApart(ParameterSpec parameter) {
        return keepsSumApart && !windowsGradient(parameter);
    }

    /** Masters, and values where they are held whole. */
    public TensorTable parameterTable() {
        TensorTable.Builder table = TensorTable.builder();
        for (ParameterSpec parameter : parameters) {
            String name = parameter.name();
            if (!hasMaster(parameter)) {
                table.add(TensorNames.master(name), compute.accumulator(), whole(parameter));
                continue;
            }
            if (!offloading.ofOptimizer()) {
                table.add(TensorNames.master(name), compute.accumulator(), updated(parameter));
            }
            if (!windowsValue(parameter)) {
                table.add(TensorNames.working(name), compute, whole(parameter));
            }
        }
        if (windowsParameters()) {
            addWindows(table, TensorNames.VALUE_WINDOW, compute);
        }
        return table.build();
    }

    /** Sums of gradients, whole or a shard, with those that wait, and windows. */
    public TensorTable gradientTable() {
        TensorTable.Builder table = TensorTable.builder();
        DType accumulator = compute.accumulator();
        for (ParameterSpec parameter : parameters) {
            String name = parameter.name();
            boolean windowed = windowsGradient(parameter);
            table.add(TensorNames.gradient(name), accumulator, windowed ? shard(parameter) : whole(parameter));
            if (parameter.tied()) {
                // Where both sides are here each is accumulated whole; else the other side arrives summed.
                table.add(
                        TensorNames.tiedGradient(name),
                        accumulator,
                        bothTiedSides ? whole(parameter) : shard(parameter));
            }
            addPartialSums(table, parameter, name);
            if (parameter.tied() && bothTiedSides) {
                addPartialSums(table, parameter, TensorNames.tiedSide(name));
            }
        }
        if (windowsGradients) {
            addWindows(table, TensorNames.GRADIENT_WINDOW, accumulator);
        }
        return table.build();
    }

    private void addPartialSums(TensorTable.Builder table, ParameterSpec parameter, String name) {
        for (int level = 0; level < heldLevels(); level++) {
            table.add(TensorNames.held(name, level), compute.accumulator(), shard(parameter));
        }
        if (keepsSumApart(parameter)) {
            table.add(TensorNames.sum(name), compute.accumulator(), shard(parameter));
        }
    }

    public TensorTable optimizerTable() {
        TensorTable.Builder table = TensorTable.builder();
        if (!offloading.ofOptimizer()) {
            addMoments(table);
        }
        return table.build();
    }

    /** What lives outside of the device. */
    public TensorTable storeTable() {
        TensorTable.Builder table = TensorTable.builder();
        if (offloading.ofOptimizer()) {
            for (ParameterSpec parameter : parameters) {
                if (hasMaster(parameter)) {
                    table.add(TensorNames.master(parameter.name()), compute.accumulator(), updated(parameter));
                }
            }
            addMoments(table);
        }
        return table.build();
    }

    private void addMoments(TensorTable.Builder table) {
        for (ParameterSpec parameter : parameters) {
            table.add(TensorNames.firstMoment(parameter.name()), compute.accumulator(), updated(parameter));
            table.add(TensorNames.secondMoment(parameter.name()), compute.accumulator(), updated(parameter));
        }
    }

    private void addWindows(TensorTable.Builder table, String prefix, DType type) {
        long bytes = 0;
        for (BlockSpec block : blocks()) {
            bytes = Math.max(bytes, windowTable(block, type).totalBytes());
        }
        for (int window = 0; window < windows(); window++) {
            table.add(TensorNames.window(prefix, window), DType.F32, Shape.of(bytes / DType.F32.bytes()));
        }
    }

    /** The matrices of a block, whole, as they lie in a window. */
    public TensorTable windowTable(BlockSpec block, DType type) {
        TensorTable.Builder table = TensorTable.builder();
        for (ParameterSpec parameter : block.parameters()) {
            if (parameter.isMatrix()) {
                table.add(parameter.name(), type, whole(parameter));
            }
        }
        return table.build();
    }

    /** In its own dims where nothing is padded. */
    private Shape whole(ParameterSpec parameter) {
        return sharding.data() == 1 ? parameter.shape() : Shape.of(wholeElements(parameter));
    }

    private Shape shard(ParameterSpec parameter) {
        return sharding.data() == 1 ? parameter.shape() : Shape.of(shardElements(parameter));
    }

    private Shape updated(ParameterSpec parameter) {
        return sharding.shardsOptimizer() ? shard(parameter) : whole(parameter);
    }
}
