package io.penstock.engine.config;

/** Model families that can be planned, by Hugging Face's {@code model_type}; {@link Architecture} has those that can be trained. */
public enum PlannedArchitecture {
    GPT2("gpt2"),
    /** Gated feed-forward, heads that share keys and values, no tied embedding. */
    LLAMA("llama");

    private final String word;

    PlannedArchitecture(String word) {
        this.word = word;
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
