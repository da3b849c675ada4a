package io.penstock.models;

import io.penstock.models.parallel.TensorGroup;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorSource;

/**
 * What a layer is bound to.
 *
 * @param parameters of this layer
 * @param scratch the tensors of {@link LayerSpec#scratch}; of a head those of {@link LayerSpec#stash}
 * @param compute the type of activations and of the matrices' working copies
 * @param group the ranks that share the layer, {@link TensorGroup#alone()} where it is whole
 */
public record LayerContext(
        Backend backend,
        ParameterSource parameters,
        TensorSource scratch,
        MicroBatchShape microBatch,
        DType compute,
        TensorGroup group) {
    /** Of a whole embedding or block, which has no scratch. */
    public static LayerContext whole(
            Backend backend, ParameterSource parameters, MicroBatchShape microBatch, DType compute) {
        TensorSource none = name -> {
            throw new IllegalStateException("a whole layer has no scratch tensor '" + name + "'");
        };
        return new LayerContext(backend, parameters, none, microBatch, compute, TensorGroup.alone());
    }

    /** The same with scratch. */
    public LayerContext withScratch(TensorSource tensors) {
        return new LayerContext(backend, parameters, tensors, microBatch, compute, group);
    }
}
