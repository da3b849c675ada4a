package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import io.penstock.partitioner.schedule.ScheduleText.Fault;
import io.penstock.partitioner.schedule.ScheduleText.Reading;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@link ScheduleText}: lines to words, words to computations, computations to a schedule that the verifier has proven. */
final class ScheduleReader {
    private static final Pattern COMPUTATION = Pattern.compile("([FBIW])(\\d{1,6})(?:\\.(\\d{1,4}))?");
    private static final Pattern STAGES = Pattern.compile("stages((?: +\\d{1,6})+)");
    private static final Pattern WORD = Pattern.compile("\\S+");
    private static final int UNKNOWN = -1;

    /** One rank's line. */
    private record Line(int number, List<Integer> stages, List<Word> words) {}

    private record Word(int column, String text, char letter, int microBatch, int chunk) {}

    private final boolean tied;
    private final List<Fault> faults = new ArrayList<>();
    private final List<Line> ranks = new ArrayList<>();
    private String name = "custom";
    private int microBatches = UNKNOWN;

    ScheduleReader(boolean tied) {
        this.tied = tied;
    }

    Reading read(String text) {
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            line(i + 1, lines.get(i));
        }
        if (microBatches == UNKNOWN) {
            whole("no line 'micro-batches: NUMBER'");
        }
        if (ranks.isEmpty()) {
            whole("no line 'stages 0: F0 B0 ...', one a rank");
        }
        placement();
        ranks.forEach(this::words);
        if (!faults.isEmpty()) {
            return new Reading(Optional.empty(), faults);
        }
        Schedule schedule = schedule();
        for (Verdict.Problem problem : ScheduleVerifier.verify(schedule, 1).problems()) {
            faults.add(new Fault(ranks.get(problem.rank()).number(), 1, problem.text()));
        }
        return new Reading(faults.isEmpty() ? Optional.of(schedule) : Optional.empty(), faults);
    }

    private void line(int number, String raw) {
        int comment = raw.indexOf('#');
        String line = comment < 0 ? raw : raw.substring(0, comment);
        if (line.isBlank()) {
            return;
        }
        int start = line.length() - line.stripLeading().length() + 1;
        int colon = line.indexOf(':');
        String key = colon < 0 ? line.strip() : line.substring(0, colon).strip();
        String value = colon < 0 ? "" : line.substring(colon + 1).strip();
        Matcher stages = STAGES.matcher(key);
        if (colon < 0) {
            fault(number, start, "expected 'KEY: VALUE', found '" + key + "'");
        } else if (stages.matches()) {
            rank(number, stages.group(1), line, colon + 1);
        } else if (key.equals("name")) {
            name = value.isEmpty() ? name : value;
        } else if (key.equals("micro-batches")) {
            microBatches(number, start, value);
        } else {
            fault(number, start, "unknown key '" + key + "': expected name, micro-batches or stages NUMBER ...");
        }
    }

    private void microBatches(int number, int column, String value) {
        boolean valid = value.matches("[1-9]\\d{0,5}");
        microBatches = valid ? Integer.parseInt(value) : 0;
        if (!valid) {
            fault(number, column, "micro-batches: expected a number from 1 to 999999, found '" + value + "'");
        }
    }

    private void rank(int number, String stages, String line, int from) {
        List<Integer> held = new ArrayList<>();
        for (String stage : stages.strip().split(" +", -1)) {
            held.add(Integer.parseInt(stage));
        }
        List<Word> words = new ArrayList<>();
        Matcher word = WORD.matcher(line);
        for (boolean found = word.find(from); found; found = word.find()) {
            Matcher parts = COMPUTATION.matcher(word.group());
            if (parts.matches()) {
                int chunk = parts.group(3) == null ? 0 : Integer.parseInt(parts.group(3));
                words.add(new Word(
                        word.start() + 1,
                        word.group(),
                        parts.group(1).charAt(0),
                        Integer.parseInt(parts.group(2)),
                        chunk));
            } else {
                fault(
                        number,
                        word.start() + 1,
                        "'" + word.group() + "' is not F, B, I or W with a micro-batch, as F3 or F3.1 for chunk 1");
            }
        }
        ranks.add(new Line(number, held, words));
    }

    /** Every stage on one rank, as many on each rank. */
    private void placement() {
        Map<Integer, Integer> lineOf = new HashMap<>();
        for (Line rank : ranks) {
            int chunks = ranks.getFirst().stages().size();
            if (rank.stages().size() != chunks) {
                fault(
                        rank.number(),
                        1,
                        rank.stages().size() + " stages, the first rank holds " + chunks
                                + ": every rank holds the same number of chunks");
            }
            for (int stage : rank.stages()) {
                Integer before = lineOf.putIfAbsent(stage, rank.number());
                if (before != null) {
                    fault(rank.number(), 1, "stage " + stage + " is held by line " + before + " already");
                } else if (stage >= chunks * ranks.size()) {
                    fault(
                            rank.number(),
                            1,
                            "stage " + stage + ": " + ranks.size() + " ranks of " + chunks
                                    + " chunks hold the stages 0 to " + (chunks * ranks.size() - 1));
                }
            }
        }
    }

    private void words(Line rank) {
        for (Word word : rank.words()) {
            if (word.chunk() >= rank.stages().size()) {
                fault(
                        rank.number(),
                        word.column(),
                        word.text() + ": the rank has " + rank.stages().size() + " chunks, from 0");
            } else if (microBatches > 0 && word.microBatch() >= microBatches) {
                fault(
                        rank.number(),
                        word.column(),
                        word.text() + ": there are " + microBatches + " micro-batches, from 0");
            }
        }
    }

    private Schedule schedule() {
        List<List<Integer>> stageOf = ranks.stream().map(Line::stages).toList();
        List<List<OnMicroBatch>> compute =
                ranks.stream().map(ScheduleReader::computations).toList();
        Placement placement = Placement.of(new Schedule(name, microBatches, stageOf, List.of()));
        return Assembly.assemble(name, microBatches, tied, placement, compute);
    }

    private static List<OnMicroBatch> computations(Line rank) {
        boolean[] splits = new boolean[rank.stages().size()];
        rank.words().forEach(word -> splits[word.chunk()] |= word.letter() == 'I' || word.letter() == 'W');
        List<OnMicroBatch> order = new ArrayList<>();
        for (Word word : rank.words()) {
            int microBatch = word.microBatch();
            int chunk = word.chunk();
            switch (word.letter()) {
                case 'F' -> order.add(new Forward(microBatch, chunk));
                case 'I' -> order.add(new BackwardInput(microBatch, chunk));
                case 'W' -> order.add(new BackwardWeight(microBatch, chunk));
                default -> {
                    if (splits[chunk]) {
                        order.add(new BackwardInput(microBatch, chunk));
                        order.add(new BackwardWeight(microBatch, chunk));
                    } else {
                        order.add(new Backward(microBatch, chunk));
                    }
                }
            }
        }
        return order;
    }

    private void whole(String message) {
        faults.add(new Fault(0, 0, message));
    }

    private void fault(int line, int column, String message) {
        faults.add(new Fault(line, column, message));
    }
}
