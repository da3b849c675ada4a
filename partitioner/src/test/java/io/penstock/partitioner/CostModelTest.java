package io.penstock.partitioner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.penstock.models.Embedding;
import io.penstock.models.EmbeddingSpec;
import io.penstock.models.LayerContext;
import io.penstock.models.LayerSpec;
import io.penstock.models.MicroBatchShape;
import io.penstock.models.ParameterSpec;
import io.penstock.models.Phase;
import io.penstock.models.Work;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.CostModel.PhaseSeconds;
import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.DType;
import io.penstock.tensor.TensorTable;
import java.util.List;
import org.junit.jupiter.api.Test;

class CostModelTest {
    /** Forward is a product of 2*3*4*5 operations, input gradients an attention, weight gradients a pass of 600 bytes. */
    private record Layer(String name) implements EmbeddingSpec {
        @Override
        public List<ParameterSpec> parameters() {
            return List.of();
        }

        @Override
        public TensorTable saved(MicroBatchShape microBatch, DType compute) {
            return TensorTable.builder().build();
        }

        @Override
        public TensorTable stash(MicroBatchShape microBatch, DType compute) {
            return TensorTable.builder().build();
        }

        @Override
        public List<Work> work(Phase phase, MicroBatchShape microBatch, DType compute) {
            return List.of(
                    switch (phase) {
                        case FORWARD -> new Work.MatrixProduct(3, 4, 5);
                        case BACKWARD_INPUT -> new Work.Attention(new AttentionShape(1, 3, 2, 2, 7), 5);
                        case BACKWARD_WEIGHT -> new Work.MemoryPass("sum", 600);
                    });
        }

        @Override
        public Embedding bind(LayerContext context) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void shouldDivideWorkByWhatTheDeviceSustains() {
        LayerSpec layer = new Layer("embedding");
        PhaseSeconds seconds = CostModel.seconds(layer, new MicroBatchShape(1, 3), DType.F32, new DeviceRates(60, 300));
        // Attention: 5 products x 2 operations x 2 heads x 6 pairs of tokens x 7.
        assertEquals(new PhaseSeconds(2, 840.0 / 60, 2), seconds);
        assertEquals(18, seconds.total());
        assertEquals(36, seconds.plus(seconds).total());
        PhaseSeconds measured = new PhaseSeconds(1, 2, 3, 4).plus(new PhaseSeconds(0, 10, 0));
        assertEquals(new PhaseSeconds(1, 12, 3, 14), measured, "what is computed again is in both");
    }

    @Test
    void shouldRefuseADeviceThatStandsStill() {
        assertThrows(PlanException.class, () -> new DeviceRates(1e12, 0));
        assertThrows(PlanException.class, () -> new DeviceRates(Double.NaN, 1));
    }
}
