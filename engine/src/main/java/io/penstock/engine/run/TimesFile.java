package io.penstock.engine.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.penstock.engine.execution.InstructionTimes;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.simulate.Timeline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * When the instructions of a rank's last step ran: {@code logs/rank-N.times.json}, written by each rank when it has trained. Ranks of one machine share a clock; over several
 * machines there is none to compare them by.
 *
 * <pre>
 * {"start_ns": [81230012345, ...], "end_ns": [81230055555, ...]}
 * </pre>
 */
public final class TimesFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TimesFile() {}

    public static void write(Path path, InstructionTimes times) {
        ObjectNode root = JSON.createObjectNode();
        array(root.putArray("start_ns"), times.startNs());
        array(root.putArray("end_ns"), times.endNs());
        try {
            Files.writeString(path, JSON.writeValueAsString(root));
        } catch (IOException e) {
            throw new UncheckedIOException("keeping instruction times", e);
        }
    }

    private static void array(ArrayNode node, long[] values) {
        for (long value : values) {
            node.add(value);
        }
    }

    /** The step of all ranks from the start of its first instruction; empty unless every rank of the schedule has left its times. */
    public static Optional<Timeline> read(RunDirectory run, Schedule schedule) {
        long[][] starts = new long[schedule.ranks()][];
        long[][] ends = new long[schedule.ranks()][];
        long first = Long.MAX_VALUE;
        try {
            for (int rank = 0; rank < starts.length; rank++) {
                if (!Files.isReadable(run.times(rank))) {
                    return Optional.empty();
                }
                JsonNode root = JSON.readTree(run.times(rank).toFile());
                starts[rank] = numbers(root.path("start_ns"));
                ends[rank] = numbers(root.path("end_ns"));
                int expected = schedule.instructions().get(rank).size();
                if (starts[rank].length != expected || ends[rank].length != expected) {
                    return Optional.empty();
                }
                first = Math.min(first, Arrays.stream(starts[rank]).min().orElse(first));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("reading instruction times", e);
        }
        return Optional.of(new Timeline(schedule, seconds(starts, first), seconds(ends, first)));
    }

    private static long[] numbers(JsonNode array) {
        long[] numbers = new long[array.size()];
        Arrays.setAll(numbers, i -> array.get(i).asLong());
        return numbers;
    }

    private static double[][] seconds(long[][] ns, long origin) {
        return Arrays.stream(ns)
                .map(rank -> Arrays.stream(rank)
                        .mapToDouble(t -> (t - origin) * 1e-9)
                        .toArray())
                .toArray(double[][]::new);
    }
}
