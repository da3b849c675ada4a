package io.penstock.jmh.direct;

import io.penstock.models.HeadSpec;
import io.penstock.models.LayerSpec;
import io.penstock.models.ModelSpec;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSource;
import io.penstock.models.ParameterSpec;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Masters, working copies, gradients and moments of a whole model, in the accumulator type of {@code compute}. */
final class DirectParameters implements AutoCloseable {
    /** {@code headGradient}: of a tied parameter, the head's own. */
    record State(
            ParameterSpec spec,
            Tensor master,
            @Nullable Tensor working,
            Tensor gradient,
            @Nullable Tensor headGradient,
            Tensor firstMoment,
            Tensor secondMoment) {
        Tensor value() {
            return working == null ? master : working;
        }
    }

    private final Backend backend;
    private final CarvedMemory memory;
    private final Map<String, State> states = new LinkedHashMap<>();

    DirectParameters(Backend backend, MemoryLedger ledger, ModelSpec model, DType compute) {
        this.backend = backend;
        Map<String, ParameterSpec> specs = new LinkedHashMap<>();
        model.layers().forEach(layer -> layer.parameters().forEach(spec -> specs.put(spec.name(), spec)));
        DType accumulator = compute.accumulator();
        TensorTable.Builder table = TensorTable.builder();
        specs.forEach((name, spec) -> {
            for (String kind : new String[] {"master/", "gradient/", "m/", "v/"}) {
                table.add(kind + name, accumulator, spec.shape());
            }
            if (spec.isMatrix() && compute != accumulator) {
                table.add("working/" + name, compute, spec.shape());
            }
            if (spec.tied()) {
                table.add("head/" + name, accumulator, spec.shape());
            }
        });
        TensorTable built = table.build();
        memory = CarvedMemory.allocate("parameters", built, ledger);
        specs.forEach((name, spec) -> states.put(
                name,
                new State(
                        spec,
                        memory.tensor("master/" + name),
                        built.contains("working/" + name) ? memory.tensor("working/" + name) : null,
                        memory.tensor("gradient/" + name),
                        spec.tied() ? memory.tensor("head/" + name) : null,
                        memory.tensor("m/" + name),
                        memory.tensor("v/" + name))));
    }

    /** In canonical order. */
    Map<String, State> states() {
        return states;
    }

    State state(String name) {
        State state = states.get(name);
        if (state == null) {
            throw new IllegalStateException("no parameter '" + name + "' in " + states.keySet());
        }
        return state;
    }

    ParameterSource sourceFor(LayerSpec layer) {
        return name -> {
            State state = state(name);
            Tensor own = state.headGradient();
            return new Parameter(
                    state.spec(), state.value(), layer instanceof HeadSpec && own != null ? own : state.gradient());
        };
    }

    /** Rounds a master into its working copy. */
    void refresh(State state) {
        Tensor working = state.working();
        if (working != null) {
            backend.copy(working, state.master());
        }
    }

    /** Adds the head's gradient of a tied parameter to the embedding's. */
    void sumTied() {
        for (State state : states.values()) {
            Tensor head = state.headGradient();
            if (head != null) {
                backend.add(state.gradient(), head);
                backend.zero(head);
            }
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
