import io.penstock.engine.TrainingRun;
import io.penstock.engine.config.Config;
import io.penstock.engine.config.ConfigLoader;
import io.penstock.engine.config.ConfigModels;
import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.Initialization;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Work;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.Write;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A model with a layer that Penstock does not have: a GPT-2 with a bottleneck adapter (Houlsby et al. 2019) behind each block. Any block works on any layout that needs nothing
 * but {@link BlockSpec}: pipelines of every schedule, replicas, recomputation.
 *
 * <pre>
 * java $(sed -n 's/^penstock.jvm.flags=//p' jvm.properties) -cp 'engine/target/lib/*:engine/target/*' examples/java/CustomLayer.java examples/java/small.yaml README.md /tmp/runs
 * </pre>
 */
public final class CustomLayer {
    private static final int BOTTLENECK = 16;

    private CustomLayer() {}

    /** The config, the text to train on and the folder for the run. */
    public static void main(String[] arguments) {
        Config config = ConfigLoader.load(
                Path.of(arguments[0]),
                List.of("data.source=" + arguments[1], "run.directory=" + arguments[2], "run.name=adapters", "cluster.launch=threads"));
        ModelSpec model = withAdapters(ConfigModels.model(config.model()));
        TrainingRun run = TrainingRun.of(config)
                .model(model)
                .listener(step -> System.out.printf(Locale.ROOT, "step %d loss %.3f%n", step.step(), step.loss()))
                .prepare();
        System.out.println("checkpoint " + run.train().checkpoint());
    }

    /** An adapter behind each block, under an architecture name of its own. */
    public static ModelSpec withAdapters(ModelSpec base) {
        List<BlockSpec> blocks = new ArrayList<>();
        for (BlockSpec block : base.blocks()) {
            blocks.add(block);
            blocks.add(new AdapterSpec(block.name() + ".adapter", base.config().hiddenSize(), BOTTLENECK));
        }
        ModelConfig renamed = base.config().withArchitecture("gpt2-adapters");
        return new ModelSpec(renamed, base.embedding(), blocks, base.head());
    }

    /** {@link Adapter} described: what the planner adds up and the engine allocates. C is {@code width}, D is {@code bottleneck}. */
    public record AdapterSpec(String name, int width, int bottleneck) implements BlockSpec {
        @Override
        public List<ParameterSpec> parameters() {
            return List.of(
                    new ParameterSpec(name + ".down.weight", Shape.of(width, bottleneck), new Initialization.Normal(0.02), true, false),
                    new ParameterSpec(name + ".down.bias", Shape.of(bottleneck), new Initialization.Constant(0), false, false),
                    // Zeros: at the start the adapter changes nothing.
                    new ParameterSpec(name + ".up.weight", Shape.of(bottleneck, width), new Initialization.Constant(0), true, false),
                    new ParameterSpec(name + ".up.bias", Shape.of(width), new Initialization.Constant(0), false, false));
        }

        @Override
        public TensorTable saved(MicroBatchShape microBatch, DType compute) {
            return TensorTable.builder()
                    .add("down", compute, Shape.of(microBatch.batch(), microBatch.sequence(), bottleneck))
                    .add("gelu", compute, Shape.of(microBatch.batch(), microBatch.sequence(), bottleneck))
                    .build();
        }

        @Override
        public TensorTable stash(MicroBatchShape microBatch, DType compute) {
            return TensorTable.builder()
                    .add("ddown", compute, Shape.of(microBatch.batch(), microBatch.sequence(), bottleneck))
                    .build();
        }

        @Override
        public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
            long r = microBatch.rows();
            return switch (phase) {
                case FORWARD, BACKWARD_INPUT ->
                    List.of(
                            new Work.MatrixProduct(r, width, bottleneck),
                            new Work.MatrixProduct(r, bottleneck, width),
                            new Work.MemoryPass("add", 3 * r * width * compute.bytes()));
                case BACKWARD_WEIGHT ->
                    List.of(new Work.MatrixProduct(bottleneck, r, width), new Work.MatrixProduct(width, r, bottleneck));
            };
        }

        @Override
        public Block<?, ?> bind(LayerContext context) {
            return new Adapter(
                    context.backend(),
                    context.parameters().parameter(name + ".down.weight"),
                    context.parameters().parameter(name + ".down.bias"),
                    context.parameters().parameter(name + ".up.weight"),
                    context.parameters().parameter(name + ".up.bias"));
        }
    }

    /** y = x + g W_up + b_up; g = gelu(d); d = x W_down + b_down. Houlsby et al. 2019. */
    static final class Adapter implements Block<Adapter.Saved, Adapter.Stash> {
        record Saved(Tensor d_BTD, Tensor g_BTD) {}

        record Stash(Tensor dd_BTD) {}

        private final Backend backend;
        private final Parameter wDown_CD;
        private final Parameter bDown_D;
        private final Parameter wUp_DC;
        private final Parameter bUp_C;

        Adapter(Backend backend, Parameter wDown_CD, Parameter bDown_D, Parameter wUp_DC, Parameter bUp_C) {
            this.backend = backend;
            this.wDown_CD = wDown_CD;
            this.bDown_D = bDown_D;
            this.wUp_DC = wUp_DC;
            this.bUp_C = bUp_C;
        }

        @Override
        public Saved saved(TensorSource slot) {
            return new Saved(slot.tensor("down"), slot.tensor("gelu"));
        }

        @Override
        public Stash stash(TensorSource slot) {
            return new Stash(slot.tensor("ddown"));
        }

        @Override
        public void forward(Tensor y_BTC, Tensor x_BTC, Saved saved) {
            backend.matmul(saved.d_BTD, x_BTC, false, wDown_CD.value(), false, bDown_D.value(), Write.OVERWRITE);
            backend.gelu(saved.g_BTD, saved.d_BTD);
            backend.matmul(y_BTC, saved.g_BTD, false, wUp_DC.value(), false, bUp_C.value(), Write.OVERWRITE);
            backend.add(y_BTC, x_BTC);
        }

        @Override
        public void backwardInput(Tensor dx_BTC, Tensor dy_BTC, Tensor x_BTC, Saved saved, Stash stash) {
            // forward: y = x + g W_up + b_up
            backend.matmul(stash.dd_BTD, dy_BTC, false, wUp_DC.value(), true, null, Write.OVERWRITE);
            // forward: g = gelu(d)
            backend.geluBackward(stash.dd_BTD, stash.dd_BTD, saved.d_BTD);
            // forward: d = x W_down + b_down, and y = x + ...
            backend.matmul(dx_BTC, stash.dd_BTD, false, wDown_CD.value(), true, null, Write.OVERWRITE);
            backend.add(dx_BTC, dy_BTC);
        }

        @Override
        public void backwardWeight(Tensor dy_BTC, Tensor x_BTC, Saved saved, Stash stash) {
            // forward: y = x + g W_up + b_up
            backend.matmul(wUp_DC.gradient(), saved.g_BTD, true, dy_BTC, false, null, Write.ACCUMULATE);
            backend.sumRows(bUp_C.gradient(), dy_BTC);
            // forward: d = x W_down + b_down
            backend.matmul(wDown_CD.gradient(), x_BTC, true, stash.dd_BTD, false, null, Write.ACCUMULATE);
            backend.sumRows(bDown_D.gradient(), stash.dd_BTD);
        }
    }
}
