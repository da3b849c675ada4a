package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

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
 * F is forward, B the whole backward, I and W its halves; {@code F2.1} is micro-batch 2 on chunk 1, {@code F2} on chunk 0.
 */
public final class ScheduleText {
    private static final Pattern COMPUTATION = Pattern.compile("([FBIW])(\\d{1,6})(?:\\.(\\d{1,4}))?");
    private static final Pattern STAGES = Pattern.compile("stages((?: +\\d{1,6})+)");

    private final List<String> problems = new ArrayList<>();
    private final List<List<Integer>> stageOf = new ArrayList<>();
    private final List<List<OnMicroBatch>> compute = new ArrayList<>();
    private String name = "custom";
    private int microBatches;

    private ScheduleText() {}

    /**
     * The verified schedule of a text.
     *
     * @throws PlanException with all problems, each with its line, or with what the verifier finds
     */
    public static Schedule parse(String text, boolean tied) {
        ScheduleText parser = new ScheduleText();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            parser.line(i + 1, lines.get(i));
        }
        if (parser.microBatches == 0) {
            parser.problems.add("no line 'micro-batches: NUMBER'");
        }
        if (parser.compute.isEmpty()) {
            parser.problems.add("no line 'stages 0: F0 B0 ...', one a rank");
        }
        if (!parser.problems.isEmpty()) {
            throw new PlanException("schedule:\n  " + String.join("\n  ", parser.problems));
        }
        Placement placement = Placement.of(new Schedule(parser.name, 1, parser.stageOf, List.of()));
        Schedule schedule = Assembly.assemble(parser.name, parser.microBatches, tied, placement, parser.compute);
        ScheduleVerifier.verify(schedule).require();
        return schedule;
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

    private void line(int number, String raw) {
        int comment = raw.indexOf('#');
        String line = (comment < 0 ? raw : raw.substring(0, comment)).strip();
        if (line.isEmpty()) {
            return;
        }
        int colon = line.indexOf(':');
        String key = colon < 0 ? line : line.substring(0, colon).strip();
        String value = colon < 0 ? "" : line.substring(colon + 1).strip();
        Matcher stages = STAGES.matcher(key);
        if (colon < 0) {
            problem(number, "expected 'KEY: VALUE', found '" + line + "'");
        } else if (stages.matches()) {
            rank(number, stages.group(1), value);
        } else if (key.equals("name")) {
            name = value;
        } else if (key.equals("micro-batches")) {
            microBatches = positive(number, value);
        } else {
            problem(number, "unknown key '" + key + "': expected name, micro-batches or stages NUMBER ...");
        }
    }

    private void rank(int number, String stages, String computations) {
        List<Integer> held = new ArrayList<>();
        for (String stage : stages.strip().split(" +", -1)) {
            held.add(Integer.parseInt(stage));
        }
        stageOf.add(held);
        List<OnMicroBatch> order = new ArrayList<>();
        for (String word : computations.isEmpty() ? new String[0] : computations.split("\\s+", -1)) {
            Matcher matcher = COMPUTATION.matcher(word);
            if (!matcher.matches()) {
                problem(number, "'" + word + "' is not F, B, I or W with a micro-batch, as F3 or F3.1 for chunk 1");
                continue;
            }
            int microBatch = Integer.parseInt(matcher.group(2));
            int chunk = matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3));
            if (chunk >= held.size()) {
                problem(number, word + ": the rank has " + held.size() + " chunks");
            } else if (microBatches > 0 && microBatch >= microBatches) {
                problem(number, word + ": there are " + microBatches + " micro-batches, from 0");
            } else {
                order.add(computation(matcher.group(1), microBatch, chunk));
            }
        }
        compute.add(order);
    }

    private static OnMicroBatch computation(String letter, int microBatch, int chunk) {
        return switch (letter) {
            case "F" -> new Forward(microBatch, chunk);
            case "B" -> new Backward(microBatch, chunk);
            case "I" -> new BackwardInput(microBatch, chunk);
            default -> new BackwardWeight(microBatch, chunk);
        };
    }

    private int positive(int number, String value) {
        if (!value.matches("[1-9]\\d{0,5}")) {
            problem(number, "micro-batches: expected a number from 1 to 999999, found '" + value + "'");
            return 1;
        }
        return Integer.parseInt(value);
    }

    private void problem(int number, String what) {
        problems.add("line " + number + ": " + what);
    }
}
