package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.List;
import java.util.Optional;

/**
 * A user's own schedule as text, computations only: messages and the end of the step follow from them.
 *
 * <pre>
 *   # Two ranks, a chunk each; ranks come in order, "stages" names what their chunks hold.
 *   name: mine
 *   micro-batches: 2
 *   stages 0: F0 F1 B0 B1
 *   stages 1: F0 B0 F1 I1 W1
 * </pre>
 *
 * F is forward, B the whole backward, I and W its halves; {@code F2.1} is micro-batch 2 on chunk 1, {@code F2} on chunk 0. Where a chunk splits any of its backwards, its
 * B is I and W at once.
 */
public final class ScheduleText {
    private ScheduleText() {}

    /**
     * What is wrong with a text.
     *
     * @param line from 1; 0 where the whole text is wrong
     * @param column from 1; 0 where the whole text is wrong
     */
    public record Fault(int line, int column, String message) {}

    /** A schedule, or why there is none. */
    public record Reading(Optional<Schedule> schedule, List<Fault> faults) {
        public Reading {
            faults = List.copyOf(faults);
        }
    }

    /** A text as a verified schedule, or all that is wrong with it: first how it is written, then whether it runs. */
    public static Reading read(String text, boolean tied) {
        return new ScheduleReader(tied).read(text);
    }

    /**
     * The verified schedule of a text.
     *
     * @throws PlanException with all that is wrong, each with its line
     */
    public static Schedule parse(String text, boolean tied) {
        Reading reading = read(text, tied);
        List<String> faults = reading.faults().stream()
                .map(fault -> (fault.line() == 0 ? "" : "line " + fault.line() + ": ") + fault.message())
                .toList();
        return reading.schedule().orElseThrow(() -> new PlanException("schedule:\n  " + String.join("\n  ", faults)));
    }

    /** Text that {@link #parse} reads back to the same schedule. */
    public static String format(Schedule schedule) {
        StringBuilder text =
                new StringBuilder("name: " + schedule.name() + "\nmicro-batches: " + schedule.microBatches() + "\n");
        for (int rank = 0; rank < schedule.ranks(); rank++) {
            text.append("stages");
            schedule.stageOf().get(rank).forEach(stage -> text.append(' ').append(stage));
            text.append(':');
            for (Instruction instruction : schedule.instructions().get(rank)) {
                switch (instruction) {
                    case Forward f -> append(text, 'F', f);
                    case Backward b -> append(text, 'B', b);
                    case BackwardInput i -> append(text, 'I', i);
                    case BackwardWeight w -> append(text, 'W', w);
                    default -> {}
                }
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static void append(StringBuilder text, char letter, OnMicroBatch on) {
        text.append(' ').append(letter).append(on.microBatch());
        if (on.chunk() > 0) {
            text.append('.').append(on.chunk());
        }
    }
}
