package io.penstock.models.gpt2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.models.Initialization;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.models.ModelSpec;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Presets;
import io.penstock.models.Work;
import io.penstock.tensor.DType;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

final class Gpt2FamilyTest {
    @Test
    void shouldCountTheParametersOfThePublishedSizes() {
        // Hugging Face model cards: sum of p.numel() of each model
        List<Long> published = List.of(124_439_808L, 354_823_168L, 774_030_080L, 1_557_611_200L);
        for (int i = 0; i < published.size(); i++) {
            ModelConfig config = Presets.find(Presets.names().get(i)).orElseThrow();
            assertEquals(published.get(i), new Gpt2Family().spec(config).parameterCount(), config.toString());
        }
        assertEquals(Presets.find("gpt2-xl"), Presets.find("gpt2-1.5b"));
        assertEquals(true, Presets.find("gpt3").isEmpty());
    }

    @Test
    void shouldShareOneSpecBetweenTiedLayers() {
        ModelSpec spec = spec();
        ParameterSpec embedding = spec.embedding().parameters().getFirst();
        ParameterSpec head = spec.head().parameters().getLast();
        assertEquals(embedding, head);
        assertEquals(true, head.tied());
        assertEquals("transformer.wte.weight", head.name());
    }

    @Test
    void shouldNameEveryLayerAndParameterOnceAndDecayMatricesOnly() {
        ModelSpec spec = spec();
        var layers = new HashSet<String>();
        spec.layers().forEach(layer -> assertEquals(true, layers.add(layer.name())));
        assertEquals(14, layers.size());
        var specs = new HashSet<ParameterSpec>();
        var names = new HashSet<String>();
        spec.layers()
                .forEach(layer -> layer.parameters().forEach(p -> {
                    specs.add(p);
                    names.add(p.name());
                    assertEquals(p.isMatrix(), p.decayed(), p.name());
                }));
        assertEquals(2 + 12 * 12 + 2, specs.size());
        assertEquals(specs.size(), names.size());
    }

    @Test
    void shouldInitialiseResidualProjectionsByDepth() {
        for (ParameterSpec p : spec().blocks().get(3).parameters()) {
            if (p.isMatrix()) {
                double expected = p.name().contains("c_proj") ? 0.02 / Math.sqrt(24) : 0.02;
                assertEquals(new Initialization.Normal(expected), p.initialization(), p.name());
            } else {
                double expected = p.name().endsWith("bias") ? 0 : 1;
                assertEquals(new Initialization.Constant(expected), p.initialization(), p.name());
            }
        }
    }

    @Test
    void shouldAskTwiceTheForwardProductsOfItsBackward() {
        MicroBatchShape microBatch = new MicroBatchShape(4, 1024);
        var block = spec().blocks().getFirst();
        double forward = products(block.work(Phase.FORWARD, microBatch, DType.BF16));
        double input = products(block.work(Phase.BACKWARD_INPUT, microBatch, DType.BF16));
        double weight = products(block.work(Phase.BACKWARD_WEIGHT, microBatch, DType.BF16));
        // 12 C^2 weights a block, 2 operations a token and weight
        assertEquals(2.0 * microBatch.rows() * 12 * 768 * 768, forward);
        assertEquals(forward, input);
        assertEquals(forward, weight);
    }

    @Test
    void shouldRefuseAnotherArchitecture() {
        var config = new ModelConfig("llama", 1, 8, 2, 8, 8, 8, 1e-5f, true, 0.02);
        assertThrows(IllegalArgumentException.class, () -> new Gpt2Family().spec(config));
    }

    private static double products(List<Work> work) {
        return work.stream()
                .filter(w -> w instanceof Work.MatrixProduct)
                .mapToDouble(Work::flops)
                .sum();
    }

    private static ModelSpec spec() {
        return new Gpt2Family().spec(Presets.find("gpt2-124m").orElseThrow());
    }
}
