package io.penstock.partitioner.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.partitioner.Anchors;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.Schedules;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Bubble rates of arXiv 2401.10241, tables 5 and 9, from the profiled times printed there; nothing is fitted. */
class PublishedBubblesTest {
    private static final String TABLE = "zb_tables5_9_bubble_and_profiled_times.csv";
    private static final double HALF_OF_THE_LAST_DIGIT = 0.5e-4 + 1e-9;

    /** Times of a stage, divided over its chunks. */
    private record Profiled(double forward, double input, double weight, double comm, int chunks) implements StepTimes {
        static Profiled of(Anchors.Row row, int chunks) {
            return new Profiled(
                    row.number("t_forward"),
                    row.number("t_backward_input"),
                    row.number("t_weight"),
                    row.number("t_comm"),
                    chunks);
        }

        double total() {
            return forward + input + weight;
        }

        @Override
        public double compute(int rank, Instruction.OnMicroBatch computation) {
            double stage = switch (computation) {
                case Instruction.Forward f -> forward;
                case Instruction.Backward b -> input + weight;
                case Instruction.BackwardInput b -> input;
                case Instruction.BackwardWeight w -> weight;
                default -> throw new AssertionError(computation);
            };
            return stage / chunks;
        }

        @Override
        public Link link(int from, int to) {
            return new Link(comm, 0, true);
        }
    }

    private static void assertColumn(String column, BiFunction<Integer, Integer, Schedule> schedule) {
        for (Anchors.Row row : Anchors.read(TABLE)) {
            int m = row.integer("microbatches_m");
            Profiled times = Profiled.of(row, 1);
            double cost = Simulator.run(schedule.apply(row.integer("stages_p"), m), times)
                    .longestSpan();
            assertEquals(
                    row.number(column), (cost - m * times.total()) / cost, HALF_OF_THE_LAST_DIGIT, column + " " + row);
        }
    }

    @Test
    void shouldReproduceOneForwardOneBackward() {
        assertColumn("bubble_1f1b", (p, m) -> Schedules.oneForwardOneBackward(p, m, false));
    }

    @Test
    void shouldReproduceZeroBubbleH1() {
        assertColumn("bubble_zb_h1", (p, m) -> Schedules.zeroBubbleH1(p, m, false));
    }

    @Test
    void shouldReproduceZeroBubbleH2() {
        assertColumn("bubble_zb_h2", (p, m) -> Schedules.zeroBubbleH2(p, m, false));
    }

    /** Takes p communications off the cost, as schedules.md found; the paper does not say why. */
    @Test
    void shouldReproduceInterleaved() {
        for (Anchors.Row row : Anchors.read(TABLE)) {
            int p = row.integer("stages_p");
            int m = row.integer("microbatches_m");
            int chunks = row.integer("layers_per_stage_chunks_for_1f1b_i");
            Profiled times = Profiled.of(row, chunks);
            double cost = Simulator.run(Schedules.interleaved(p, m, chunks, false), times)
                            .longestSpan()
                    - p * times.comm();
            double bubble = (cost - m * times.total()) / cost;
            assertEquals(row.number("bubble_1f1b_i"), bubble, HALF_OF_THE_LAST_DIGIT, row.toString());
        }
    }
}
