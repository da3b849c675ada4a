package io.penstock.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.engine.config.ConfigModels;
import io.penstock.engine.generation.LoadedModel;
import io.penstock.models.Block;
import io.penstock.models.BlockSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.Parameter;
import io.penstock.models.ParameterSpec;
import io.penstock.models.weights.ModelFileException;
import io.penstock.tensor.Backend;
import io.penstock.tensor.CarvedMemory;
import io.penstock.tensor.DType;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TensorSource;
import io.penstock.tensor.TensorTable;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.reference.ReferenceBackend;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code examples/java}, compiled as they stand and run. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ExamplesTest {
    private static final Path HOME = Path.of(System.getProperty("penstock.home", ".."));
    private static final Path EXAMPLES = HOME.resolve("examples/java");
    private static final MicroBatchShape SHAPE = new MicroBatchShape(2, 5);

    private final Path folder;

    ExamplesTest(@TempDir Path folder) {
        this.folder = folder;
    }

    private Class<?> compiled(String name) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        int status = compiler.run(
                null,
                messages,
                messages,
                "-Xlint:all,-path",
                "-Werror",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                folder.resolve("classes").toString(),
                EXAMPLES.resolve(name + ".java").toString());
        assertEquals(0, status, messages.toString(StandardCharsets.UTF_8));
        URL[] classes = {folder.resolve("classes").toUri().toURL()};
        // Stays open as long as its classes are used: until the test is over, and with it the folder.
        return Class.forName(name, true, new URLClassLoader(classes));
    }

    private String text() throws Exception {
        return Files.copy(HOME.resolve("README.md"), folder.resolve("text.txt")).toString();
    }

    /** Runs {@code main} as a library is run: in this JVM, with its threads counted, and with nothing but its own prints. */
    private static String run(Class<?> example, String... arguments) throws Exception {
        PrintStream out = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            example.getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            System.setOut(out);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldTrainStopAndResumeFromJava() throws Exception {
        Path runs = folder.resolve("runs");
        String printed = run(compiled("TrainFromJava"), text(), runs.toString());
        Matcher stopped = Pattern.compile("stopped after step (\\d+): (.*)\n").matcher(printed);
        assertTrue(stopped.find(), printed);
        int steps = Integer.parseInt(stopped.group(1));
        assertTrue(steps > 2 && steps < 400, printed);
        assertTrue(Files.isDirectory(Path.of(stopped.group(2))), printed);
        assertTrue(printed.contains("done after step " + (steps + 5) + ": "), printed);
        assertEquals(steps + 5, steps(runs.resolve("from-java/metrics.jsonl")), printed);
    }

    private static long steps(Path metrics) throws Exception {
        return Files.readAllLines(metrics).stream()
                .filter(line -> line.contains("\"loss\""))
                .count();
    }

    @Test
    void shouldTrainAModelWithALayerOfOnesOwn() throws Exception {
        Path runs = folder.resolve("runs");
        String printed =
                run(compiled("CustomLayer"), EXAMPLES.resolve("small.yaml").toString(), text(), runs.toString());
        List<Double> losses = Pattern.compile("loss (\\d+\\.\\d+)")
                .matcher(printed)
                .results()
                .map(match -> Double.parseDouble(match.group(1)))
                .toList();
        assertEquals(30, losses.size());
        assertTrue(losses.getLast() < losses.getFirst() - 1, printed);
        Path checkpoint = runs.resolve("adapters/checkpoints/step-000030");
        assertTrue(printed.contains("checkpoint " + checkpoint), printed);
        // It is in the checkpoint, which nobody takes for a GPT-2.
        assertTrue(Files.readString(checkpoint.resolve("config.json")).contains("gpt2-adapters"));
        assertTrue(Files.readString(checkpoint.resolve("model.safetensors.index.json"))
                .contains("h.1.adapter.up.weight"));
        try (Backend backend = new ReferenceBackend()) {
            ModelFileException e =
                    assertThrows(ModelFileException.class, () -> LoadedModel.open(checkpoint, 1, backend));
            assertTrue(String.valueOf(e.getMessage()).contains("model_type is 'gpt2-adapters'"), e.getMessage());
        }
    }

    @Test
    @SuppressWarnings("unchecked")
    void shouldDifferentiateTheLayerOfOnesOwn() throws Exception {
        ModelSpec base =
                ConfigModels.family("gpt2").spec(new ModelConfig("gpt2", 1, 12, 3, 20, 16, 29, 1e-5f, true, 0.02));
        ModelSpec model = (ModelSpec) compiled("CustomLayer")
                .getMethod("withAdapters", ModelSpec.class)
                .invoke(null, base);
        BlockSpec spec = model.blocks().get(1);
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        for (ParameterSpec parameter : spec.parameters()) {
            long[] dims = parameter.isMatrix()
                    ? new long[] {parameter.shape().dim(0), parameter.shape().dim(1)}
                    : new long[] {parameter.shape().dim(0)};
            parameters.put(
                    parameter.name(),
                    new Parameter(
                            parameter,
                            TestTensors.random(parameters.size() + 3L, DType.F64, dims),
                            TestTensors.zeros(DType.F64, dims)));
        }
        try (Backend backend = new ReferenceBackend()) {
            Block<Object, Object> block = (Block<Object, Object>) spec.bind(LayerContext.whole(
                    backend, name -> Objects.requireNonNull(parameters.get(name), name), SHAPE, DType.F64));
            Object saved = block.saved(carve(spec.saved(SHAPE, DType.F64)));
            Object stash = block.stash(carve(spec.stash(SHAPE, DType.F64)));
            Tensor x = TestTensors.random(1, DType.F64, 2, 5, 12);
            Tensor y = TestTensors.zeros(DType.F64, 2, 5, 12);
            Tensor dx = TestTensors.zeros(DType.F64, 2, 5, 12);
            Tensor dy = TestTensors.random(2, DType.F64, 2, 5, 12);
            block.forward(y, x, saved);
            block.backwardInput(dx, dy, x, saved, stash);
            block.backwardWeight(dy, x, saved, stash);
            GradientCheck check = GradientCheck.of(spec.name(), () -> {
                        block.forward(y, x, saved);
                        double sum = 0;
                        for (long i = 0; i < y.elements(); i++) {
                            sum += y.get(i) * dy.get(i);
                        }
                        return sum;
                    })
                    .gradient("x", x, dx);
            parameters.forEach((name, p) -> check.gradient(name, p.value(), p.gradient()));
            check.check(1e-8);
        }
    }

    private static TensorSource carve(TensorTable table) {
        return CarvedMemory.over(
                TestTensors.zeros(DType.F32, Shape.of(table.totalBytes() / 4).elements()), table);
    }
}
