package io.penstock.engine.config;

/** The model families by Hugging Face's {@code model_type}. */
public enum Architecture {
    GPT2("gpt2"),
    LLAMA("llama");

    private final String word;

    Architecture(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
