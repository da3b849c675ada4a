package io.penstock.jmh.direct;

import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.Embedding;
import io.penstock.models.Head;
import io.penstock.models.HeadSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterInitializer;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.MemoryLedger;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorTable;
import java.util.ArrayList;
import java.util.List;

/**
 * A GPT-2, or a model of another family, on one backend: forward, backward, clipping and AdamW of one micro-batch, with the accumulator type's masters. Its calls are those of the peer it is compared
 * with. One thread at a time; closes its backend.
 */
public final class DirectGpt2 implements AutoCloseable {
    /** A block with the records of its one slot. */
    private record BoundBlock<S, G>(Block<S, G> block, S saved, G stash) {
        void forward(Tensor y_BTC, Tensor x_BTC) {
            block.forward(y_BTC, x_BTC, saved);
        }

        void backward(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC) {
            block.backwardInput(dx_BTC, dy_BTC, x_BTC, saved, stash);
            block.backwardWeight(dy_BTC, x_BTC, saved, stash);
        }
    }

    private record BoundHead<S>(Head<S> head, S saved, Tensor loss_1) {
        void forward(Tensor x_BTC) {
            head.forward(x_BTC, saved);
        }

        double backward(Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT, float scale) {
            head.backward(loss_1, dx_BTC, x_BTC, targets_BT, scale, saved);
            return loss_1.get(0);
        }

        void logits(Tensor logits_V, int row) {
            head.logits(logits_V, row, saved);
        }
    }

    private final Backend backend;
    private final MicroBatchShape microBatch;
    private final DirectParameters parameters;
    private final CarvedMemory activations;
    private final Embedding embedding;
    private final List<BoundBlock<?, ?>> blocks = new ArrayList<>();
    private final BoundHead<?> head;
    /** Input of each block, then of the head. */
    private final List<Tensor> x_BTC = new ArrayList<>();

    private final Tensor tokens_BT;
    private final Tensor targets_BT;
    private final Tensor logits_V;
    private double gradientScale = 1;
    private int steps;

    /** Parameters start at zero: see {@link #initialize} and {@link #set}. */
    public DirectGpt2(Backend backend, ModelConfig config, MicroBatchShape microBatch, DType compute) {
        this(backend, new Gpt2Family().spec(config), microBatch, compute);
    }

    /** Of whole layers. */
    public DirectGpt2(Backend backend, ModelSpec model, MicroBatchShape microBatch, DType compute) {
        this.backend = backend;
        this.microBatch = microBatch;
        MemoryLedger ledger = new MemoryLedger(backend::allocate, Long.MAX_VALUE);
        parameters = new DirectParameters(backend, ledger, model, compute);
        activations = CarvedMemory.allocate("activations", table(model, microBatch, compute), ledger);
        tokens_BT = activations.tensor("tokens");
        targets_BT = activations.tensor("targets");
        logits_V = activations.tensor("logits");
        embedding = model.embedding().bind(context(model.embedding(), compute));
        for (BlockSpec spec : model.blocks()) {
            x_BTC.add(activations.tensor(spec.name() + "/x"));
            blocks.add(bind(spec, spec.bind(context(spec, compute))));
        }
        x_BTC.add(activations.tensor("head/x"));
        head = bind(model.head(), compute);
    }

    private static TensorTable table(ModelSpec model, MicroBatchShape microBatch, DType compute) {
        Shape ids = Shape.of(microBatch.batch(), microBatch.sequence());
        Shape hidden = Shape.of(
                microBatch.batch(), microBatch.sequence(), model.config().hiddenSize());
        TensorTable.Builder table = TensorTable.builder()
                .add("sum", DType.F64, Shape.of(1))
                .add("tokens", DType.I32, ids)
                .add("targets", DType.I32, ids)
                .add("logits", compute.accumulator(), Shape.of(model.config().vocabSize()))
                .add("gradient/0", compute, hidden)
                .add("gradient/1", compute, hidden);
        for (BlockSpec spec : model.blocks()) {
            table.add(spec.name() + "/x", compute, hidden)
                    .addAll(spec.name() + "/saved/", spec.saved(microBatch, compute));
        }
        return table.addAll("block/stash/", model.blocks().getFirst().stash(microBatch, compute))
                .add("head/x", compute, hidden)
                .addAll("head/saved/", model.head().saved(microBatch, compute))
                .addAll("head/scratch/", model.head().stash(microBatch, compute))
                .build();
    }

    private LayerContext context(LayerSpec layer, DType compute) {
        return LayerContext.whole(backend, parameters.sourceFor(layer), microBatch, compute);
    }

    private <S, G> BoundBlock<S, G> bind(BlockSpec spec, Block<S, G> block) {
        S saved = block.saved(activations.under(spec.name() + "/saved/"));
        return new BoundBlock<>(block, saved, block.stash(activations.under("block/stash/")));
    }

    private BoundHead<?> bind(HeadSpec spec, DType compute) {
        return bind(spec.bind(context(spec, compute).withScratch(activations.under("head/scratch/"))));
    }

    private <S> BoundHead<S> bind(Head<S> bound) {
        return new BoundHead<>(bound, bound.saved(activations.under("head/saved/")), activations.tensor("sum"));
    }

    public List<String> names() {
        return List.copyOf(parameters.states().keySet());
    }

    /** As a training run would. */
    public void initialize(long seed) {
        for (DirectParameters.State state : parameters.states().values()) {
            ParameterInitializer.fill(state.master(), state.spec(), seed);
            parameters.refresh(state);
        }
    }

    /** The master, row-major. */
    public float[] get(String name) {
        return floats(parameters.state(name).master());
    }

    /** Overwrites master and working copy. */
    public void set(String name, float[] values) {
        DirectParameters.State state = parameters.state(name);
        for (int i = 0; i < values.length; i++) {
            state.master().set(i, values[i]);
        }
        parameters.refresh(state);
    }

    /** What {@link #backward} accumulated since the last {@link #step}, both sides of a tied parameter. */
    public float[] gradient(String name) {
        return floats(parameters.state(name).gradient());
    }

    private float[] floats(Tensor tensor) {
        backend.synchronize();
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) tensor.get(i);
        }
        return values;
    }

    /** Logits (B, T, V) of tokens (B, T). */
    public float[] logits(int[] tokens) {
        forward(tokens);
        int v = Math.toIntExact(logits_V.elements());
        float[] all = new float[Math.toIntExact(microBatch.rows() * v)];
        for (int row = 0; row < microBatch.rows(); row++) {
            head.logits(logits_V, row);
            System.arraycopy(floats(logits_V), 0, all, row * v, v);
        }
        return all;
    }

    private void forward(int[] tokens) {
        fill(tokens_BT, tokens);
        embedding.forward(x_BTC.get(0), tokens_BT);
        for (int i = 0; i < blocks.size(); i++) {
            blocks.get(i).forward(x_BTC.get(i + 1), x_BTC.get(i));
        }
        head.forward(x_BTC.getLast());
    }

    private static void fill(Tensor ids, int[] values) {
        for (int i = 0; i < values.length; i++) {
            ids.set(i, values[i]);
        }
    }

    /** Mean loss a token in nats; its gradients are added to those of the parameters. */
    public double backward(int[] tokens, int[] targets) {
        forward(tokens);
        fill(targets_BT, targets);
        Tensor dy_BTC = activations.tensor("gradient/0");
        Tensor dx_BTC = activations.tensor("gradient/1");
        double loss = head.backward(dy_BTC, x_BTC.getLast(), targets_BT, 1f / microBatch.rows());
        for (int i = blocks.size() - 1; i >= 0; i--) {
            blocks.get(i).backward(dx_BTC, dy_BTC, x_BTC.get(i));
            Tensor swapped = dy_BTC;
            dy_BTC = dx_BTC;
            dx_BTC = swapped;
        }
        embedding.backwardWeight(dy_BTC, tokens_BT);
        parameters.sumTied();
        return loss / microBatch.rows();
    }

    /** Has the next {@link #step} scale the gradients to a global norm of at most {@code limit}; returns the norm. */
    public double clip(double limit) {
        Tensor sum_1 = activations.tensor("sum");
        double squares = 0;
        for (DirectParameters.State state : parameters.states().values()) {
            backend.sumOfSquares(sum_1, state.gradient());
            squares += sum_1.get(0);
        }
        double norm = Math.sqrt(squares);
        gradientScale = norm > limit ? limit / norm : 1;
        return norm;
    }

    /** One AdamW update, weight decay on what its spec says; zeroes the gradients. */
    public void step(double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {
        steps++;
        for (DirectParameters.State state : parameters.states().values()) {
            backend.adamW(
                    state.master(),
                    state.firstMoment(),
                    state.secondMoment(),
                    state.gradient(),
                    state.working(),
                    (float) learningRate,
                    (float) beta1,
                    (float) beta2,
                    (float) epsilon,
                    state.spec().decayed() ? (float) weightDecay : 0,
                    (float) (1 - Math.pow(beta1, steps)),
                    (float) (1 - Math.pow(beta2, steps)),
                    (float) gradientScale);
        }
        gradientScale = 1;
    }

    @Override
    public void close() {
        activations.close();
        parameters.close();
        backend.close();
    }
}
