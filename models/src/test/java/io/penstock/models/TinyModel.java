package io.penstock.models;

import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.models.llama.LlamaFamily;
import io.penstock.models.parallel.Distribution;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TestTensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A whole GPT-2 run by hand on one backend: what an engine does, without its owners and schedules. */
public final class TinyModel {
    /** One parameter's tensors; {@code headGradient}: the second gradient of a tied one. */
    public record State(
            ParameterSpec spec,
            Tensor master,
            Tensor working,
            Tensor gradient,
            Tensor headGradient,
            Tensor m,
            Tensor v) {}

    private record BlockRun<S, G>(Block<S, G> block, S saved, G stash) {
        static <S, G> BlockRun<S, G> of(Block<S, G> block, LayerSpec spec, MicroBatchShape microBatch, DType compute) {
            S saved = block.saved(LayerMemory.carve(spec.saved(microBatch, compute)));
            return new BlockRun<>(block, saved, block.stash(LayerMemory.carve(spec.stash(microBatch, compute))));
        }

        void forward(Tensor y_BTC, Tensor x_BTC) {
            block.forward(y_BTC, x_BTC, saved);
        }

        void backward(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC) {
            block.backward(dx_BTC, dy_BTC, x_BTC, saved, stash);
        }

        void backwardInput(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC) {
            block.backwardInput(dx_BTC, dy_BTC, x_BTC, saved, stash);
        }

        void backwardWeight(Tensor dy_BTC, Tensor x_BTC) {
            block.backwardWeight(dy_BTC, x_BTC, saved, stash);
        }
    }

    private record HeadRun<S>(Head<S> head, S saved, Tensor loss_1) {
        static <S> HeadRun<S> of(Head<S> head, LayerSpec spec, MicroBatchShape microBatch, DType compute) {
            return new HeadRun<>(
                    head,
                    head.saved(LayerMemory.carve(spec.saved(microBatch, compute))),
                    TestTensors.zeros(DType.F64, 1));
        }

        double loss(Tensor x_BTC, Tensor targets_BT) {
            head.forward(x_BTC, saved);
            head.loss(loss_1, targets_BT, saved);
            return loss_1.get(0);
        }

        double backward(Tensor dx_BTC, Tensor x_BTC, Tensor targets_BT, float scale) {
            head.backward(loss_1, dx_BTC, x_BTC, targets_BT, scale, saved);
            return loss_1.get(0);
        }
    }

    private static ModelFamily family(ModelConfig config) {
        return config.architecture().equals(LlamaFamily.ARCHITECTURE) ? new LlamaFamily() : new Gpt2Family();
    }

    private final Backend backend;
    private final DType compute;
    private final TensorGroup group;
    private final Map<String, State> states = new LinkedHashMap<>();
    private final Embedding embedding;
    private final List<BlockRun<?, ?>> blocks = new ArrayList<>();
    private final HeadRun<?> head;
    /** Activation i is the input of block i, the last that of the head. */
    private final List<Tensor> x_BTC = new ArrayList<>();

    private final Tensor[] d_BTC;

    public TinyModel(Backend backend, ModelConfig config, MicroBatchShape microBatch, DType compute, long seed) {
        this(backend, config, microBatch, compute, seed, TensorSplit.WHOLE, TensorGroup.alone());
    }

    /** One rank's part; {@code group} is of the size and index of {@code split}. */
    public TinyModel(
            Backend backend,
            ModelConfig config,
            MicroBatchShape microBatch,
            DType compute,
            long seed,
            TensorSplit split,
            TensorGroup group) {
        this.backend = backend;
        this.compute = compute;
        this.group = group;
        ModelSpec model = family(config).spec(config, split);
        model.layers()
                .forEach(layer -> layer.parameters().forEach(spec -> {
                    states.computeIfAbsent(spec.name(), name -> state(spec, seed));
                }));
        ParameterSource body = name -> new Parameter(state(name).spec, state(name).working, state(name).gradient);
        ParameterSource top = name -> {
            State s = state(name);
            return new Parameter(s.spec, s.working, s.spec.tied() ? s.headGradient : s.gradient);
        };
        var context = new LayerContext(backend, body, TensorSource.NONE, microBatch, compute, group);
        embedding = model.embedding()
                .bind(context.withScratch(LayerMemory.carve(model.embedding().scratch(microBatch, compute))));
        for (BlockSpec spec : model.blocks()) {
            // one set for all blocks would do, but garbage shows what a block takes for granted
            var scratch = LayerMemory.carve(spec.scratch(microBatch, compute));
            blocks.add(BlockRun.of(spec.bind(context.withScratch(scratch)), spec, microBatch, compute));
        }
        var scratch = LayerMemory.carve(model.head().stash(microBatch, compute));
        head = HeadRun.of(
                model.head().bind(new LayerContext(backend, top, scratch, microBatch, compute, group)),
                model.head(),
                microBatch,
                compute);
        for (int i = 0; i <= blocks.size(); i++) {
            x_BTC.add(activation(model, microBatch));
        }
        d_BTC = new Tensor[] {activation(model, microBatch), activation(model, microBatch)};
    }

    private Tensor activation(ModelSpec model, MicroBatchShape microBatch) {
        return TestTensors.zeros(compute, LayerMemory.dims(model.hidden(microBatch)));
    }

    private State state(ParameterSpec spec, long seed) {
        DType accumulator = compute.accumulator();
        long[] dims = LayerMemory.dims(spec.shape());
        Tensor master = TestTensors.zeros(accumulator, dims);
        ParameterInitializer.fill(master, spec, seed);
        boolean own = spec.isMatrix() && compute != accumulator;
        return new State(
                spec,
                master,
                own ? TestTensors.copy(master, compute) : master,
                TestTensors.zeros(accumulator, dims),
                TestTensors.zeros(accumulator, dims),
                TestTensors.zeros(accumulator, dims),
                TestTensors.zeros(accumulator, dims));
    }

    public Map<String, State> states() {
        return states;
    }

    private State state(String name) {
        State state = states.get(name);
        if (state == null) {
            throw new IllegalStateException("no parameter " + name);
        }
        return state;
    }

    private void forward(Tensor tokens_BT) {
        embedding.forward(x_BTC.getFirst(), tokens_BT);
        for (int i = 0; i < blocks.size(); i++) {
            blocks.get(i).forward(x_BTC.get(i + 1), x_BTC.get(i));
        }
    }

    /** The sum of the tokens' losses. */
    public double loss(Tensor tokens_BT, Tensor targets_BT) {
        forward(tokens_BT);
        return head.loss(x_BTC.getLast(), targets_BT);
    }

    /** As {@link #accumulate}, but every weight gradient after the last input gradient of its block, in a second pass. */
    public double accumulateSplit(Tensor tokens_BT, Tensor targets_BT, float scale) {
        loss(tokens_BT, targets_BT);
        Tensor[] dy_BTC = new Tensor[blocks.size() + 1];
        for (int i = 0; i < dy_BTC.length; i++) {
            dy_BTC[i] = TestTensors.zeros(compute, LayerMemory.dims(d_BTC[0].shape()));
        }
        double loss = head.backward(dy_BTC[blocks.size()], x_BTC.getLast(), targets_BT, scale);
        for (int i = blocks.size() - 1; i >= 0; i--) {
            blocks.get(i).backwardInput(dy_BTC[i], dy_BTC[i + 1], x_BTC.get(i));
        }
        for (int i = blocks.size() - 1; i >= 0; i--) {
            blocks.get(i).backwardWeight(dy_BTC[i + 1], x_BTC.get(i));
        }
        embedding.backwardWeight(dy_BTC[0], tokens_BT);
        return loss;
    }

    /** The sum of the tokens' losses; gradients of {@code scale} times it are added up. */
    public double accumulate(Tensor tokens_BT, Tensor targets_BT, float scale) {
        loss(tokens_BT, targets_BT);
        int at = 0;
        double loss = head.backward(d_BTC[at], x_BTC.getLast(), targets_BT, scale);
        for (int i = blocks.size() - 1; i >= 0; i--) {
            blocks.get(i).backward(d_BTC[1 - at], d_BTC[at], x_BTC.get(i));
            at = 1 - at;
        }
        embedding.backwardWeight(d_BTC[at], tokens_BT);
        return loss;
    }

    /** Adds the head's gradient of a tied parameter to the embedding's, and up over the group what each rank found of its own tokens. */
    public void sumTied() {
        for (State s : states.values()) {
            if (s.spec.distribution() instanceof Distribution.Replicated replicated && replicated.partialGradient()) {
                group.startAllReduce(s.gradient);
            }
        }
        group.await();
        for (State s : states.values()) {
            if (s.spec.tied()) {
                backend.add(s.gradient, s.headGradient);
                backend.zero(s.headGradient);
            }
        }
    }

    /** AdamW step {@code t} (from 1) with betas 0.9 and 0.95, decay 0.1 on matrices. */
    public void update(int t, float learningRate) {
        sumTied();
        for (State s : states.values()) {
            backend.adamW(
                    s.master,
                    s.m,
                    s.v,
                    s.gradient,
                    s.working == s.master ? null : s.working,
                    learningRate,
                    0.9f,
                    0.95f,
                    1e-8f,
                    s.spec.decayed() ? 0.1f : 0f,
                    (float) (1 - StrictMath.pow(0.9, t)),
                    (float) (1 - StrictMath.pow(0.95, t)),
                    1f);
        }
    }
}
