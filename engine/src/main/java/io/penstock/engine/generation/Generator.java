package io.penstock.engine.generation;

import io.penstock.models.tokens.StreamingDecoder;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Continues a text token by token. Every token runs the whole window forward; there is no key-value cache. When the window is full its older half is dropped.
 */
public final class Generator implements AutoCloseable {
    /**
     * How the next token is drawn.
     *
     * @param tokens to make
     * @param temperature divides the logits; 0 takes the likeliest token
     */
    public record Sampling(int tokens, double temperature, long seed) {}

    private static final String LOGITS = "logits";

    private final LoadedModel model;
    private final CarvedMemory memory;

    /** {@code model} must be of batch 1. */
    public Generator(LoadedModel model, Backend backend) {
        this.model = model;
        MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
        TensorTable table = TensorTable.builder()
                .add(LOGITS, DType.F32, Shape.of(model.model().config().vocabSize()))
                .build();
        this.memory = CarvedMemory.allocate("generation", table, ledger);
    }

    /** Gives the continuation to {@code text} in whole characters, as they come. Ends early at the tokenizer's end of text. */
    public void generate(String prompt, Sampling sampling, Consumer<String> text) {
        int window = model.shape().sequence();
        int[] context = new int[window];
        int length = 0;
        for (int token : startOf(prompt)) {
            length = append(context, length, token);
        }
        Random random = new Random(sampling.seed());
        StreamingDecoder decoder = new StreamingDecoder(model.tokenizer());
        for (int i = 0; i < sampling.tokens(); i++) {
            int token = draw(logits(context, length), sampling.temperature(), random);
            if (token == model.tokenizer().endOfText()) {
                break;
            }
            text.accept(decoder.next(token));
            length = append(context, length, token);
        }
        text.accept(decoder.finish());
    }

    private int[] startOf(String prompt) {
        int[] tokens = model.tokenizer().encode(prompt);
        return tokens.length > 0 ? tokens : new int[] {model.tokenizer().endOfText()};
    }

    /** The new length. */
    private static int append(int[] context, int length, int token) {
        int kept = length;
        if (length == context.length) {
            kept = length / 2;
            System.arraycopy(context, length - kept, context, 0, kept);
        }
        context[kept] = token;
        return kept + 1;
    }

    private double[] logits(int[] context, int length) {
        model.host().write(model.runner().tokens(0), (first, piece) -> {
            for (int i = 0; i < piece.elements(); i++) {
                // What lies after the end is never seen: attention is causal.
                int place = (int) first + i;
                piece.set(i, place < length ? context[place] : 0);
            }
        });
        model.runner().forward(0);
        Tensor logits = memory.tensor(LOGITS);
        model.runner().logits(logits, length - 1, 0);
        double[] values = new double[(int) logits.elements()];
        model.host().read(logits, (first, piece) -> {
            for (int i = 0; i < piece.elements(); i++) {
                values[(int) first + i] = piece.get(i);
            }
        });
        return values;
    }

    private int draw(double[] logits, double temperature, Random random) {
        int known = Math.min(logits.length, model.tokenizer().vocabularySize());
        int likeliest = 0;
        for (int i = 1; i < known; i++) {
            likeliest = logits[i] > logits[likeliest] ? i : likeliest;
        }
        if (temperature == 0) {
            return likeliest;
        }
        double largest = logits[likeliest];
        double[] weights = new double[known];
        double sum = 0;
        for (int i = 0; i < known; i++) {
            weights[i] = StrictMath.exp((logits[i] - largest) / temperature);
            sum += weights[i];
        }
        double left = random.nextDouble() * sum;
        for (int i = 0; i < known; i++) {
            left -= weights[i];
            if (left < 0) {
                return i;
            }
        }
        return likeliest;
    }

    @Override
    public void close() {
        memory.close();
    }
}
