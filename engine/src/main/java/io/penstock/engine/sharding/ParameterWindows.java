package io.penstock.engine.sharding;

import io.penstock.engine.state.ParameterState;
import io.penstock.engine.state.Residency;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Operation;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whole matrices of the few blocks that are at work: block {@code b} of the rank is gathered into window {@code b mod windows}. A window keeps its block until another needs
 * it, the chunk is released or the masters change.
 */
final class ParameterWindows {
    private static final int NOBODY = -1;

    private final DataGroup group;
    private final Backend backend;
    private final int replica;
    private final Residency residency;
    /** The windowed parameters of each block of the rank. */
    private final List<List<ParameterState>> blocks;

    private final List<List<Tensor>> shards;
    /** The same of each block, whole, as one; absent of a block that has none. */
    private final @Nullable CommonTensors[] wholes;

    private final int[] blockOf;
    private final @Nullable Operation[] operations;

    /** {@code memory}: where the windows are. */
    ParameterWindows(
            MemorySegment memory,
            DataGroup group,
            Backend backend,
            int replica,
            List<List<ParameterState>> blocks,
            int windows,
            Residency residency) {
        this.group = group;
        this.backend = backend;
        this.replica = replica;
        this.residency = residency;
        this.blocks = blocks.stream().map(List::copyOf).toList();
        this.shards = this.blocks.stream()
                .map(block -> block.stream().map(this::shard).toList())
                .toList();
        this.blockOf = new int[windows];
        Arrays.fill(blockOf, NOBODY);
        this.wholes = new CommonTensors[blocks.size()];
        for (int i = 0; i < wholes.length; i++) {
            List<Tensor> values =
                    blocks.get(i).stream().map(ParameterState::wholeValue).toList();
            wholes[i] = values.isEmpty() ? null : CommonTensors.of(memory, values);
        }
        this.operations = new Operation[windows];
    }

    private Tensor shard(ParameterState state) {
        if (group.size() == 1) {
            return state.wholeValue();
        }
        long elements = state.master().elements();
        return state.wholeValue().slice(replica * elements, elements);
    }

    /** Starts to gather a block, unless its window has it. */
    void prefetch(int block) {
        int window = block % blockOf.length;
        if (blockOf[window] == block) {
            return;
        }
        settle(window);
        List<ParameterState> states = blocks.get(block);
        for (int i = 0; i < states.size(); i++) {
            if (i + 1 < states.size()) {
                residency.prefetchMaster(states.get(i + 1));
            }
            backend.copy(shards.get(block).get(i), states.get(i).master());
            residency.releaseMaster(states.get(i));
        }
        CommonTensors whole = wholes[block];
        operations[window] = whole == null ? null : group.startGather(whole);
        blockOf[window] = block;
    }

    /** Waits until a block is whole. */
    void require(int block) {
        prefetch(block);
        settle(block % blockOf.length);
    }

    private void settle(int window) {
        group.await(operations[window]);
        operations[window] = null;
    }

    void release(int block) {
        int window = block % blockOf.length;
        if (blockOf[window] == block) {
            settle(window);
            blockOf[window] = NOBODY;
        }
    }

    /** The masters have changed: nothing that was gathered counts. */
    void releaseAll() {
        for (int window = 0; window < blockOf.length; window++) {
            settle(window);
            blockOf[window] = NOBODY;
        }
    }
}
