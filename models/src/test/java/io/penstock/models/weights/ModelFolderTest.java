package io.penstock.models.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.Initialization;
import io.penstock.models.ParameterSpec;
import io.penstock.tensor.DType;
import io.penstock.tensor.Shape;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModelFolderTest {
    private static final ParameterSpec TABLE = spec("transformer.wte.weight", true, 5, 3);
    private static final ParameterSpec BIAS = spec("transformer.h.0.attn.c_attn.bias", false, 9);

    @TempDir
    Path folder = Path.of("");

    private static ParameterSpec spec(String name, boolean tied, long... dims) {
        return new ParameterSpec(name, Shape.of(dims), new Initialization.Constant(0), false, tied);
    }

    private void write(String file, Map<String, Tensor> tensors) {
        List<SafetensorsWriter.Declared> declared = new ArrayList<>();
        tensors.forEach((name, x) -> declared.add(new SafetensorsWriter.Declared(name, x.dtype(), x.shape())));
        try (var writer = SafetensorsWriter.create(folder.resolve(file), declared, Map.of("format", "pt"))) {
            tensors.forEach(writer::write);
            writer.commit();
        }
    }

    private double[] read(ParameterSpec spec) {
        try (ModelFolder model = ModelFolder.open(folder)) {
            Tensor into = TestTensors.zeros(
                    DType.F32,
                    spec.shape().rank() == 1
                            ? new long[] {spec.shape().dim(0)}
                            : new long[] {spec.shape().dim(0), spec.shape().dim(1)});
            model.read(spec, into);
            return TestTensors.values(into);
        }
    }

    @Test
    void shouldFindNamesWithAndWithoutThePrefix() {
        Tensor table = TestTensors.random(1, DType.F32, 5, 3);
        Tensor bias = TestTensors.random(2, DType.BF16, 9);
        write("model.safetensors", Map.of("wte.weight", table, "transformer.h.0.attn.c_attn.bias", bias));
        assertArrayEquals(TestTensors.values(table), read(TABLE));
        assertArrayEquals(TestTensors.values(bias), read(BIAS));
    }

    @Test
    void shouldTakeATiedTableFromTheHeadAlone() {
        Tensor table = TestTensors.random(1, DType.F32, 5, 3);
        write("model.safetensors", Map.of("lm_head.weight", table));
        assertArrayEquals(TestTensors.values(table), read(TABLE));
        // untied, each needs its own
        var error = assertThrows(ModelFileException.class, () -> read(spec("transformer.wte.weight", false, 5, 3)));
        assertTrue(String.valueOf(error.getMessage()).contains("no tensor 'transformer.wte.weight'"));
    }

    @Test
    void shouldReadShardsByTheirIndex() {
        Tensor table = TestTensors.random(1, DType.F32, 5, 3);
        Tensor bias = TestTensors.random(2, DType.F32, 9);
        write("model-00001-of-00002.safetensors", Map.of(TABLE.name(), table));
        write("model-00002-of-00002.safetensors", Map.of(BIAS.name(), bias));
        Map<String, String> map = Map.of(
                TABLE.name(), "model-00001-of-00002.safetensors", BIAS.name(), "model-00002-of-00002.safetensors");
        new ShardIndex(folder.resolve(ModelFolder.INDEX), 96, map).write();
        assertArrayEquals(TestTensors.values(table), read(TABLE));
        assertArrayEquals(TestTensors.values(bias), read(BIAS));
        Map<String, String> wrong = Map.of(TABLE.name(), "model-00002-of-00002.safetensors");
        new ShardIndex(folder.resolve(ModelFolder.INDEX), 96, wrong).write();
        var error = assertThrows(ModelFileException.class, () -> ModelFolder.open(folder));
        assertTrue(String.valueOf(error.getMessage()).contains("no tensor 'transformer.wte.weight'"));
        Map<String, String> outside = Map.of(TABLE.name(), "../secret.safetensors");
        new ShardIndex(folder.resolve(ModelFolder.INDEX), 96, outside).write();
        assertThrows(ModelFileException.class, () -> ModelFolder.open(folder));
    }

    @Test
    void shouldReadThePartThatARankHolds() {
        Tensor table = TestTensors.random(1, DType.F32, 5, 3);
        write("model.safetensors", Map.of(TABLE.name(), table));
        try (ModelFolder model = ModelFolder.open(folder)) {
            Tensor part = TestTensors.zeros(DType.F32, 4);
            model.read(TABLE, 7, part);
            for (int i = 0; i < 4; i++) {
                assertEquals(table.get(7 + i), part.get(i));
            }
        }
    }

    @Test
    void shouldPrintBothShapesWhenTheyDiffer() {
        write("model.safetensors", Map.of(TABLE.name(), TestTensors.random(1, DType.F32, 3, 5)));
        var error = assertThrows(ModelFileException.class, () -> read(TABLE));
        String message = String.valueOf(error.getMessage());
        assertTrue(message.contains("[3, 5]") && message.contains("[5, 3]"), message);
    }
}
