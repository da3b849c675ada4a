package io.penstock.models.gpt2;

import io.penstock.models.Initialization;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.tensor.Shape;

/**
 * The parameters of GPT-2 as Hugging Face names, lays out and initialises them: matrices (in, out) from a normal of {@code initializer_range}, those that
 * write to the residual stream divided by sqrt(2L); gains 1; biases 0. Weight decay acts on matrices, the two embedding tables included, and on no vector.
 */
final class Gpt2Parameters {
    static final String TOKEN_TABLE = "transformer.wte.weight";
    static final String POSITION_TABLE = "transformer.wpe.weight";
    static final String UNTIED_HEAD = "lm_head.weight";
    static final String FINAL_NORM = "transformer.ln_f";

    private Gpt2Parameters() {}

    static ParameterSpec tokenTable(ModelConfig config) {
        return table(TOKEN_TABLE, config.vocabSize(), config, config.tieWordEmbeddings());
    }

    static ParameterSpec positionTable(ModelConfig config) {
        return table(POSITION_TABLE, config.maxPositionEmbeddings(), config, false);
    }

    /** The projection to the vocabulary, (V, C): the token table itself where they are tied. */
    static ParameterSpec head(ModelConfig config) {
        return config.tieWordEmbeddings() ? tokenTable(config) : table(UNTIED_HEAD, config.vocabSize(), config, false);
    }

    private static ParameterSpec table(String name, int rows, ModelConfig config, boolean tied) {
        var initialization = new Initialization.Normal(config.initializerRange());
        return new ParameterSpec(name, Shape.of(rows, config.hiddenSize()), initialization, true, tied);
    }

    /** {@code y = x W + b} with W (in, out): Hugging Face's Conv1D. */
    static ParameterSpec weight(String module, long in, long out, ModelConfig config) {
        return weight(module, in, out, config.initializerRange());
    }

    /** A matrix whose product is added to the residual stream, which 2L of them write to. */
    static ParameterSpec residualWeight(String module, long in, long out, ModelConfig config) {
        return weight(module, in, out, config.initializerRange() / Math.sqrt(2.0 * config.numHiddenLayers()));
    }

    private static ParameterSpec weight(String module, long in, long out, double standardDeviation) {
        var initialization = new Initialization.Normal(standardDeviation);
        return new ParameterSpec(module + ".weight", Shape.of(in, out), initialization, true, false);
    }

    static ParameterSpec bias(String module, long size) {
        return vector(module + ".bias", size, 0);
    }

    static ParameterSpec gain(String module, long size) {
        return vector(module + ".weight", size, 1);
    }

    private static ParameterSpec vector(String name, long size, double value) {
        return new ParameterSpec(name, Shape.of(size), new Initialization.Constant(value), false, false);
    }
}
