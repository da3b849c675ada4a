package io.penstock.engine.generation;

import io.penstock.engine.execution.BatchSource;
import io.penstock.models.data.SequenceSampler;
import io.penstock.models.data.TokenSpan;
import io.penstock.tensor.Checks;

/** The loss of a model on tokens. */
public final class Evaluator {
    /**
     * What was found.
     *
     * @param loss mean over tokens, nats
     * @param tokens that were predicted
     */
    public record Result(double loss, long tokens) {
        /** e^loss. */
        public double perplexity() {
            return Math.exp(loss);
        }
    }

    private Evaluator() {}

    /** The most sequences at a time, up to {@code most}, that divide the windows of {@code sequence} tokens: none is left over. */
    public static int batch(TokenSpan tokens, int sequence, int most) {
        long windows = SequenceSampler.inOrder(tokens, sequence).windows();
        int batch = most;
        while (windows % batch != 0) {
            batch--;
        }
        return batch;
    }

    /** Over all whole windows of {@code tokens}, each predicted from its own start. */
    public static Result evaluate(LoadedModel model, TokenSpan tokens) {
        SequenceSampler sampler = SequenceSampler.inOrder(tokens, model.shape().sequence());
        int batch = model.shape().batch();
        long batches = Checks.divideExact(sampler.windows(), "windows", batch, "batch");
        BatchSource source = model.batches(sampler);
        model.losses().clear();
        for (long i = 0; i < batches; i++) {
            source.tokens(model.runner().tokens(0), 0, Math.toIntExact(i));
            source.targets(model.runner().targets(0), 0, Math.toIntExact(i));
            model.runner().forward(0);
            model.runner().loss(0);
        }
        long predicted = batches * model.shape().rows();
        return new Result(model.losses().sum().nats() / predicted, predicted);
    }
}
