package io.penstock.models.llama;

import io.penstock.models.Initialization;
import io.penstock.models.ModelConfig;
import io.penstock.models.ParameterSpec;
import io.penstock.models.parallel.Distribution;
import io.penstock.tensor.Shape;

/**
 * The parameters of Llama as Hugging Face names and lays them out: matrices (out, in) from a normal of {@code initializer_range}, gains 1, no biases. Weight decay acts on
 * matrices, the embedding table included, and on no vector.
 *
 * <p>Split over a group (Shoeybi et al. 2019): what reads the residual stream by its outputs, what writes to it by its inputs, the tables of the vocabulary by rows. Gains are
 * on every rank, and see only the rank's own tokens with sequence parallelism.
 */
final class LlamaParameters {
    static final String TOKEN_TABLE = "model.embed_tokens.weight";
    static final String UNTIED_HEAD = "lm_head.weight";
    static final String FINAL_NORM = "model.norm";

    private LlamaParameters() {}

    static ParameterSpec tokenTable(LlamaShard shard) {
        ModelConfig config = shard.config();
        return matrix(TOKEN_TABLE, config.vocabSize(), config.hiddenSize(), 0, config.tieWordEmbeddings(), shard);
    }

    /** The projection to the vocabulary, (V, C): the token table itself where they are tied. */
    static ParameterSpec head(LlamaShard shard) {
        ModelConfig config = shard.config();
        return config.tieWordEmbeddings()
                ? tokenTable(shard)
                : matrix(UNTIED_HEAD, config.vocabSize(), config.hiddenSize(), 0, false, shard);
    }

    /** {@code y = x W'}, W (out, in), whose outputs are shared out. */
    static ParameterSpec byOutputs(String module, long out, long in, LlamaShard shard) {
        return matrix(module + ".weight", out, in, 0, false, shard);
    }

    /** {@code y = x W'}, W (out, in), whose inputs are shared out. */
    static ParameterSpec byInputs(String module, long out, long in, LlamaShard shard) {
        return matrix(module + ".weight", out, in, 1, false, shard);
    }

    private static ParameterSpec matrix(String name, long out, long in, int dim, boolean tied, LlamaShard shard) {
        var initialization = new Initialization.Normal(shard.config().initializerRange());
        var whole = new ParameterSpec(name, Shape.of(out, in), initialization, true, tied);
        var split = shard.split();
        return split.isWhole()
                ? whole
                : whole.part(new Distribution.Split(whole.shape(), dim, 1, split.size(), split.index()));
    }

    /** The gain of a norm over C. */
    static ParameterSpec gain(String module, LlamaShard shard) {
        return new ParameterSpec(
                module + ".weight",
                Shape.of(shard.config().hiddenSize()),
                new Initialization.Constant(1),
                false,
                false,
                new Distribution.Replicated(shard.split().sequenceParallel()));
    }
}
