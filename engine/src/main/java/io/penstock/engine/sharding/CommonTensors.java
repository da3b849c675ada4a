package io.penstock.engine.sharding;

import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Parts;
import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;

/** Whole tensors of one type in one allocation, {@code memory}, that replicas sum or gather together. */
record CommonTensors(MemorySegment memory, Parts parts, int elementBytes) {
    /** {@code memory}: where all of them are, at least one. */
    static CommonTensors of(MemorySegment memory, List<Tensor> tensors) {
        DType type = tensors.getFirst().dtype();
        List<Tensor> inOrder = tensors.stream()
                .sorted(Comparator.comparingLong(tensor -> tensor.segment().address()))
                .toList();
        long[] offsets = new long[inOrder.size()];
        long[] lengths = new long[inOrder.size()];
        for (int i = 0; i < offsets.length; i++) {
            Tensor tensor = inOrder.get(i);
            if (tensor.dtype() != type) {
                throw new IllegalStateException("a tensor of " + tensor.dtype() + " among those of " + type);
            }
            offsets[i] = tensor.segment().address() - memory.address();
            lengths[i] = tensor.bytes();
        }
        return new CommonTensors(memory, new Parts(offsets, lengths), type.bytes());
    }
}
