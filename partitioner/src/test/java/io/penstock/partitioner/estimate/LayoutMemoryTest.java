package io.penstock.partitioner.estimate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.reference.MegatronMemory;
import io.penstock.partitioner.schedule.InFlight;
import io.penstock.partitioner.schedule.Schedules;
import org.junit.jupiter.api.Test;

class LayoutMemoryTest {
    @Test
    void shouldCountInFlightAsTheInstructionsDo() {
        for (String name : Schedules.NAMES) {
            for (int p : new int[] {1, 2, 4, 7}) {
                int chunks = Schedules.defaultChunks(name);
                int m = 4 * p;
                Layout layout = new Layout(1, p, 1, 1, m, name, chunks, 0, Recompute.NONE);
                InFlight counted = InFlight.of(Schedules.create(name, p, m, chunks, false));
                for (int rank = 0; rank < p; rank++) {
                    assertEquals(
                            counted.activationsOfRank(rank),
                            LayoutMemory.chunksInFlight(layout, rank),
                            layout + " rank " + rank);
                    assertEquals(
                            counted.stashesOfRank(rank),
                            LayoutMemory.chunksStashed(layout, rank),
                            layout + " rank " + rank);
                }
            }
        }
    }

    @Test
    void shouldAgreeWithMegatronsFormulasOnItsFirstStage() {
        // 22B on one stage, without its embedding and head: 48 layers, tensor 8, micro-batch 4.
        Transformer model = new Transformer(48, 6144, 64, 64, 4 * 6144, false, 1, 2048, true);
        MegatronMemory published = new MegatronMemory(2048, 4, 6144, 64, 48, 8, 1, 1);
        assertBytes(model, Recompute.NONE, published, MegatronMemory.Activations.TENSOR_PARALLEL);
        assertBytes(model, Recompute.SELECTIVE, published, MegatronMemory.Activations.SELECTIVE);
    }

    private static void assertBytes(
            Transformer model, Recompute recompute, MegatronMemory published, MegatronMemory.Activations kept) {
        Layout layout = new Layout(8, 1, 1, 4, 1, "1f1b", 1, 0, recompute);
        double bytes = new LayoutMemory(model, layout)
                .rankBytes(
                        0,
                        new Share(48, true, true),
                        recompute == Recompute.NONE ? Recomputed.NOTHING : new Recomputed(0, 48));
        LayoutMemory memory = new LayoutMemory(model, layout);
        double scores = recompute == Recompute.NONE
                ? 0 // else those of the block at work, which the formulas leave out
                : memory.blockActivations(Recompute.NONE) - memory.blockActivations(Recompute.SELECTIVE);
        double expected = scores + published.activationBytes(kept) + published.parameterAndOptimizerBytes();
        assertEquals(expected, bytes, 1e-5 * expected);
    }
}
