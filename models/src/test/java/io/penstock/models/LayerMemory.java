package io.penstock.models;

import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.TestTensors;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** A layer's parameters and tables in test memory; remembers which tensors the layer asked for. */
public final class LayerMemory implements ParameterSource {
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Set<String> bound = new LinkedHashSet<>();

    /** Values around 0 (matrices, biases) or 1 (gains), the same for every compute type but for rounding. */
    public LayerMemory(LayerSpec layer, DType compute, long seed) {
        for (ParameterSpec spec : layer.parameters()) {
            DType valueType = spec.isMatrix() ? compute : compute.accumulator();
            long[] dims = dims(spec.shape());
            Tensor value = TestTensors.random(seed++, valueType, dims);
            double centre = !spec.isMatrix() && spec.name().endsWith("weight") ? 1 : 0;
            for (long i = 0; i < value.elements(); i++) {
                value.set(i, centre + 0.5 * value.get(i));
            }
            Tensor gradient = TestTensors.zeros(compute.accumulator(), dims);
            parameters.put(spec.name(), new Parameter(spec, value, gradient));
        }
    }

    public Map<String, Parameter> parameters() {
        return parameters;
    }

    public Set<String> bound() {
        return bound;
    }

    @Override
    public Parameter parameter(String name) {
        bound.add(name);
        return get(name);
    }

    /** Without remembering. */
    public Parameter get(String name) {
        Parameter parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalStateException("no parameter " + name + " in " + parameters.keySet());
        }
        return parameter;
    }

    /** Fresh memory of a table, filled with garbage: a layer must not rely on zeros. */
    public static Recorded carve(TensorTable table) {
        Tensor region = TestTensors.zeros(DType.F32, Math.max(1, table.totalBytes() / Float.BYTES));
        for (long i = 0; i < region.elements(); i++) {
            region.set(i, 1e30);
        }
        return new Recorded(CarvedMemory.over(region, table), new LinkedHashSet<>());
    }

    /** A source and the names asked of it. */
    public record Recorded(TensorSource source, Set<String> names) implements TensorSource {
        @Override
        public Tensor tensor(String name) {
            names.add(name);
            return source.tensor(name);
        }
    }

    public static long[] dims(Shape shape) {
        long[] dims = new long[shape.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = shape.dim(i);
        }
        return dims;
    }

    public static double weightedSum(Tensor y, Tensor dy) {
        double sum = 0;
        for (long i = 0; i < y.elements(); i++) {
            sum += y.get(i) * dy.get(i);
        }
        return sum;
    }
}
