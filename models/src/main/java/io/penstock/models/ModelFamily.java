package io.penstock.models;

/** An architecture that can be trained. */
public interface ModelFamily {
    /** The value of {@code model.architecture}: "gpt2". */
    String architecture();

    ModelSpec spec(ModelConfig config);
}
