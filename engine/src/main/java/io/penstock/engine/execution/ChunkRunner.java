package io.penstock.engine.execution;

import io.penstock.engine.sharding.LayerStates;
import io.penstock.models.Embedding;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The layers of one chunk of a rank on the slots of the plan. {@link ActivationSlots} knows a micro-batch's activation slot; its stash slot is {@code mb mod stashes} where backward
 * is split. Built by {@link ChunkBuilder}.
 */
public final class ChunkRunner {
    /** The memory of a chunk, by slot; lists that a chunk has no use for are empty. */
    record Memory(
            List<Tensor> tokens,
            List<Tensor> targets,
            List<List<Tensor>> inputs,
            List<Tensor> outputs,
            List<Tensor> inputGradients,
            List<Tensor> receivedGradients,
            List<Tensor> receivedInputs,
            List<Tensor> streams,
            List<List<Tensor>> stashedGradients) {}

    private final @Nullable Embedding embedding;
    private final List<BlockRunner<?, ?>> blocks;
    private final @Nullable HeadRunner<?> head;
    private final Memory memory;
    private final int chunk;
    private final LayerStates states;
    private final Backend backend;
    private final ActivationSlots slots;
    private final int stashes;

    /** {@code chunk}: its number on the rank. */
    ChunkRunner(
            int chunk,
            Backend backend,
            LayerStates states,
            @Nullable Embedding embedding,
            List<BlockRunner<?, ?>> blocks,
            @Nullable HeadRunner<?> head,
            Memory memory,
            ActivationSlots slots,
            int stashes) {
        this.backend = backend;
        this.embedding = embedding;
        this.blocks = List.copyOf(blocks);
        this.head = head;
        this.memory = memory;
        this.chunk = chunk;
        this.states = states;
        this.slots = slots;
        this.stashes = stashes;
    }

    public boolean hasEmbedding() {
        return embedding != null;
    }

    public boolean hasHead() {
        return head != null;
    }

    /** Activation slots: how many micro-batches may be held at once. */
    public int slots() {
        return slots.count();
    }

    ActivationSlots activationSlots() {
        return slots;
    }

    /** Whether an input waits in a buffer until its micro-batch is computed on, two in turn; else it lies where forward reads it. */
    public boolean receivesApart() {
        return !memory.receivedInputs().isEmpty();
    }

    /** How many received gradients may be held at once: message buffers where backward is fused, stash slots where it is split. */
    public int gradientSlots() {
        return stashes == 0 ? 2 : stashes;
    }

    /** Token ids (B, T) of a micro-batch, to be filled before its forward, on the chunk with the embedding. */
    public Tensor tokens(int microBatch) {
        return memory.tokens().get(slots.of(microBatch));
    }

    /** Target ids (B, T), to be filled before the backward, on the chunk with the head. */
    public Tensor targets(int microBatch) {
        return memory.targets().get(slots.of(microBatch));
    }

    /** Where a received activation goes: the input of the first layer, on a chunk without embedding. */
    public Tensor input(int microBatch) {
        return receivesApart() ? memory.receivedInputs().get(microBatch % 2) : ownInput(microBatch);
    }

    private Tensor ownInput(int microBatch) {
        return memory.inputs().get(0).get(slots.of(microBatch));
    }

    /** The chunk's output, to be sent; two in turn. */
    public Tensor output(int microBatch) {
        return memory.outputs().get(microBatch % 2);
    }

    /** The gradient of the chunk's input, to be sent; two in turn. */
    public Tensor inputGradient(int microBatch) {
        return memory.inputGradients().get(microBatch % 2);
    }

    /** Where a received gradient goes, on a chunk without head. */
    public Tensor outputGradient(int microBatch) {
        return stashes == 0 ? memory.receivedGradients().get(microBatch % 2) : outputGradient(layers() - 1, microBatch);
    }

    private int layers() {
        return (embedding == null ? 0 : 1) + blocks.size() + (head == null ? 0 : 1);
    }

    private int firstBlock() {
        return embedding == null ? 0 : 1;
    }

    public void forward(int microBatch) {
        int slot = slots.of(microBatch);
        if (receivesApart()) {
            backend.copy(ownInput(microBatch), input(microBatch));
        }
        if (embedding != null) {
            states.beforeForward(chunk, 0);
            embedding.forward(outputOf(0, microBatch), tokens(microBatch));
        }
        for (int i = 0; i < blocks.size(); i++) {
            states.beforeForward(chunk, firstBlock() + i);
            blocks.get(i).forward(outputOf(firstBlock() + i, microBatch), slot, microBatch);
        }
        if (head != null) {
            states.beforeForward(chunk, layers() - 1);
            head.forward(slot);
        }
    }

    /** The output of a layer is the input of the next, or the chunk's output. */
    private Tensor outputOf(int layer, int microBatch) {
        return layer + 1 < layers() ? memory.inputs().get(layer + 1).get(slots.of(microBatch)) : output(microBatch);
    }

    /** Leaves the sum of the losses of a micro-batch's tokens in {@link MicroBatchLosses}; nothing on a chunk without head. */
    public void loss(int microBatch) {
        if (head != null) {
            head.loss(slots.of(microBatch));
        }
    }

    /** Overwrites logits_V for one token of a micro-batch whose forward has run, on the chunk with the head. */
    public void logits(Tensor logits_V, int row, int microBatch) {
        if (head == null) {
            throw new IllegalStateException("logits asked of a chunk without head");
        }
        head.logits(logits_V, row, slots.of(microBatch));
    }

    /** Input and weight gradients layer by layer; leaves the loss as {@link #loss} does. */
    public void backward(int microBatch, float lossScale) {
        int slot = slots.of(microBatch);
        int layer = layers() - 1;
        Tensor dy = head == null ? outputGradient(microBatch) : null;
        if (head != null) {
            Tensor dx = fusedInputGradient(layer, microBatch);
            headBackward(dx, lossScale, layer, microBatch);
            dy = dx;
            layer--;
        }
        for (int i = blocks.size() - 1; i >= 0; i--, layer--) {
            Tensor dx = fusedInputGradient(layer, microBatch);
            states.beforeInputGradient(chunk, layer, microBatch);
            states.beforeWeightGradient(chunk, layer, microBatch);
            blocks.get(i).recompute(dx, slot, 0, microBatch);
            blocks.get(i).backward(dx, required(dy), slot, 0);
            states.afterInputGradient(chunk, layer, microBatch);
            states.afterWeightGradient(chunk, layer, microBatch);
            dy = dx;
        }
        if (embedding != null) {
            embeddingBackward(required(dy), microBatch);
        }
    }

    private void headBackward(Tensor dx, float lossScale, int layer, int microBatch) {
        states.beforeInputGradient(chunk, layer, microBatch);
        required(head).backward(dx, lossScale, slots.of(microBatch));
        states.afterInputGradient(chunk, layer, microBatch);
    }

    private void embeddingBackward(Tensor dy, int microBatch) {
        states.beforeWeightGradient(chunk, 0, microBatch);
        required(embedding).backwardWeight(dy, tokens(microBatch));
        states.afterWeightGradient(chunk, 0, microBatch);
    }

    private static <X> X required(@Nullable X present) {
        if (present == null) {
            throw new IllegalStateException("a chunk without layers has no gradient");
        }
        return present;
    }

    /** Between layers two streams in turn, at the chunk's start the message buffer. */
    private Tensor fusedInputGradient(int layer, int microBatch) {
        return layer == 0 ? inputGradient(microBatch) : memory.streams().get(layer % 2);
    }

    /** Gradient of a layer's output, kept in the stash slot until the weight gradient. */
    private Tensor outputGradient(int layer, int microBatch) {
        return memory.stashedGradients().get(layer).get(microBatch % stashes);
    }

    private Tensor splitInputGradient(int layer, int microBatch) {
        return layer == 0 ? inputGradient(microBatch) : outputGradient(layer - 1, microBatch);
    }

    /** Input gradients only; leaves the loss as {@link #loss} does. */
    public void backwardInput(int microBatch, float lossScale) {
        int slot = slots.of(microBatch);
        int layer = layers() - 1;
        if (head != null) {
            headBackward(splitInputGradient(layer, microBatch), lossScale, layer, microBatch);
            layer--;
        }
        for (int i = blocks.size() - 1; i >= 0; i--, layer--) {
            Tensor dx = splitInputGradient(layer, microBatch);
            states.beforeInputGradient(chunk, layer, microBatch);
            blocks.get(i).recompute(dx, slot, microBatch % stashes, microBatch);
            blocks.get(i).backwardInput(dx, outputGradient(layer, microBatch), slot, microBatch % stashes);
            states.afterInputGradient(chunk, layer, microBatch);
        }
    }

    /** Weight gradients of a micro-batch whose {@link #backwardInput} has run. */
    public void backwardWeight(int microBatch) {
        int slot = slots.of(microBatch);
        for (int i = blocks.size() - 1; i >= 0; i--) {
            Tensor dy = outputGradient(firstBlock() + i, microBatch);
            states.beforeWeightGradient(chunk, firstBlock() + i, microBatch);
            blocks.get(i).backwardWeight(dy, slot, microBatch % stashes);
            states.afterWeightGradient(chunk, firstBlock() + i, microBatch);
        }
        if (embedding != null) {
            embeddingBackward(outputGradient(0, microBatch), microBatch);
        }
    }
}
