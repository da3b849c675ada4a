package io.penstock.jmh;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceMemory;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Owner of a benchmark's tensors, each an allocation of its own. */
final class BenchmarkMemory implements AutoCloseable {
    private final Backend backend;
    private final List<DeviceMemory> owned = new ArrayList<>();

    BenchmarkMemory(Backend backend) {
        this.backend = backend;
    }

    Tensor zeros(DType dtype, Shape shape) {
        DeviceMemory memory = backend.allocate(shape.elements() * dtype.bytes());
        owned.add(memory);
        return Tensor.of(memory.segment(), dtype, shape);
    }

    /** Normal with standard deviation 1, rounded to the dtype. */
    Tensor normal(long seed, DType dtype, Shape shape) {
        Tensor tensor = zeros(dtype, shape);
        var random = new SplittableRandom(seed);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, random.nextGaussian());
        }
        return tensor;
    }

    /** Another tensor of the same values. */
    Tensor copy(Tensor tensor) {
        Tensor copy = zeros(tensor.dtype(), tensor.shape());
        backend.copy(copy, tensor);
        return copy;
    }

    /** Ids in [0, below). */
    Tensor ids(long seed, int below, Shape shape) {
        Tensor tensor = zeros(DType.I32, shape);
        var random = new SplittableRandom(seed);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, random.nextInt(below));
        }
        return tensor;
    }

    @Override
    public void close() {
        owned.forEach(DeviceMemory::close);
        owned.clear();
    }
}
