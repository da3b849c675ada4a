package io.penstock.models;

import java.util.Set;
import java.util.stream.Collectors;

/** The last layer: final norm, projection to the vocabulary and loss. */
public non-sealed interface HeadSpec extends LayerSpec {
    /** All: a head has no weight-gradient call. */
    @Override
    default Set<String> completedByInputGradient() {
        return parameters().stream().map(ParameterSpec::name).collect(Collectors.toUnmodifiableSet());
    }

    /** Its scratch: the tensors of {@link #stash}, one set a rank. */
    Head<?> bind(LayerContext context);
}
