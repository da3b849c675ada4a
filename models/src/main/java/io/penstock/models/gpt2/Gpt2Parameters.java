package io.penstock.models.gpt2;

import io.penstock.models.Initialization;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.models.parallel.Distribution;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.Shape;
import java.util.List;

/**
 * The parameters of GPT-2 as Hugging Face names, lays out and initialises them: matrices (in, out) from a normal of {@code initializer_range}, those that
 * write to the residual stream divided by sqrt(2L); gains 1; biases 0. Weight decay acts on matrices, the two embedding tables included, and on no vector.
 *
 * <p>Split over a group (Shoeybi et al. 2019): c_attn and c_fc by columns with their biases, the former by heads within q, k and v; c_proj by rows; the tables of
 * the vocabulary by rows. Everything else is on every rank; norms see only the rank's own tokens with sequence parallelism.
 */
final class Gpt2Parameters {
    static final String TOKEN_TABLE = "transformer.wte.weight";
    static final String POSITION_TABLE = "transformer.wpe.weight";
    static final String UNTIED_HEAD = "lm_head.weight";
    static final String FINAL_NORM = "transformer.ln_f";

    private Gpt2Parameters() {}

    static ParameterSpec tokenTable(Gpt2Shard shard) {
        ModelConfig config = shard.config();
        return split(table(TOKEN_TABLE, config.vocabSize(), config, config.tieWordEmbeddings()), 0, 1, shard.split());
    }

    static ParameterSpec positionTable(ModelConfig config) {
        return table(POSITION_TABLE, config.maxPositionEmbeddings(), config, false);
    }

    /** The projection to the vocabulary, (V, C): the token table itself where they are tied. */
    static ParameterSpec head(Gpt2Shard shard) {
        ModelConfig config = shard.config();
        return config.tieWordEmbeddings()
                ? tokenTable(shard)
                : split(table(UNTIED_HEAD, config.vocabSize(), config, false), 0, 1, shard.split());
    }

    /** The rank's part of {@code blocks} equal blocks along {@code dim} of a whole parameter. */
    static ParameterSpec split(ParameterSpec whole, int dim, int blocks, TensorSplit split) {
        return split.isWhole()
                ? whole
                : whole.part(new Distribution.Split(whole.shape(), dim, blocks, split.size(), split.index()));
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
        return vector(module + ".bias", size, 0, Distribution.Replicated.WHOLE_GRADIENT);
    }

    /** The gain and bias of a norm over C. */
    static List<ParameterSpec> norm(String module, Gpt2Shard shard) {
        long size = shard.config().hiddenSize();
        Distribution distribution = new Distribution.Replicated(shard.split().sequenceParallel());
        return List.of(
                vector(module + ".weight", size, 1, distribution), vector(module + ".bias", size, 0, distribution));
    }

    private static ParameterSpec vector(String name, long size, double value, Distribution distribution) {
        var initialization = new Initialization.Constant(value);
        return new ParameterSpec(name, Shape.of(size), initialization, false, false, distribution);
    }
}
