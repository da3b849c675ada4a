package io.penstock.models.gpt2;

import static io.penstock.tensor.DType.F64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.models.LayerContext;
import io.penstock.models.LayerMemory;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelConfig;
import io.penstock.tensor.Backend;
import io.penstock.tensor.GradientCheck;
import io.penstock.tensor.Tensor;
import io.penstock.tensor.TestTensors;
import io.penstock.tensor.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

final class TokenAndPositionEmbeddingTest {
    private static final ModelConfig CONFIG = new ModelConfig("gpt2", 1, 12, 3, 20, 16, 5, 1e-5f, true, 0.02);
    private static final TokenAndPositionEmbeddingSpec SPEC =
            new TokenAndPositionEmbeddingSpec(Gpt2Shard.whole(CONFIG));

    private final Backend backend = new ReferenceBackend();

    @Test
    void shouldDifferentiateBothTables() {
        LayerMemory memory = new LayerMemory(SPEC, F64, 3);
        // 14 tokens of a vocabulary of 5: rows meet more than once; 7 of 16 positions
        var embedding = SPEC.bind(LayerContext.whole(backend, memory, new MicroBatchShape(2, 7), F64));
        Tensor tokens = TestTensors.randomInts(1, 0, 5, 2, 7);
        Tensor y = TestTensors.zeros(F64, 2, 7, 12);
        Tensor dy = TestTensors.random(2, F64, 2, 7, 12);
        embedding.backwardWeight(dy, tokens);
        GradientCheck check = GradientCheck.of("embedding", () -> {
            embedding.forward(y, tokens);
            return LayerMemory.weightedSum(y, dy);
        });
        memory.parameters().forEach((name, p) -> check.gradient(name, p.value(), p.gradient()));
        check.check(1e-8);
        assertEquals(memory.parameters().keySet(), memory.bound());
    }

    @Test
    void shouldRefuseASequenceLongerThanItsPositions() {
        LayerMemory memory = new LayerMemory(SPEC, F64, 3);
        var error = assertThrows(
                IllegalArgumentException.class,
                () -> SPEC.bind(LayerContext.whole(backend, memory, new MicroBatchShape(1, 17), F64)));
        assertEquals("sequence_length=17 > max_position_embeddings=16", error.getMessage());
    }
}
