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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * When the instructions of a rank's last step ran: {@code logs/rank-N.times.json}, written by each rank when it has trained. Ranks of one machine share a clock; over several
 * machines there is none to compare them by. A GPU's times are its own, the others those at which the host asked it.
 *
 * <pre>
 * {"start_ns": [81230012345, ...], "end_ns": [81230055555, ...], "device": {"start_ns": [81230023456, ...], "end_ns": [81230266666, ...]}}
 * </pre>
 */
public final class TimesFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String START = "start_ns";
    private static final String END = "end_ns";
    private static final String DEVICE = "device";
    private static final String MEASURED = "measured";

    private TimesFile() {}

    public static void write(Path path, InstructionTimes times) {
        ObjectNode root = JSON.createObjectNode();
        spans(root, times);
        times.onDevice().ifPresent(device -> spans(root.putObject(DEVICE), device));
        try {
            Files.writeString(path, JSON.writeValueAsString(root));
        } catch (IOException e) {
            throw new UncheckedIOException("keeping instruction times", e);
        }
    }

    private static void spans(ObjectNode node, InstructionTimes times) {
        array(node.putArray(START), times.startNs());
        array(node.putArray(END), times.endNs());
    }

    private static void array(ArrayNode node, long[] values) {
        for (long value : values) {
            node.add(value);
        }
    }

    /**
     * The step of all ranks from the moment that the first was asked for its first instruction: "measured", and of GPUs "asked by the host" too. Empty unless every rank of the
     * schedule has left its times.
     */
    public static Map<String, Timeline> read(RunDirectory run, Schedule schedule) {
        List<JsonNode> ranks = new ArrayList<>();
        try {
            for (int rank = 0; rank < schedule.ranks(); rank++) {
                if (!Files.isReadable(run.times(rank))) {
                    return Map.of();
                }
                JsonNode root = JSON.readTree(run.times(rank).toFile());
                int expected = schedule.instructions().get(rank).size();
                if (root.path(START).size() != expected || root.path(END).size() != expected) {
                    return Map.of();
                }
                ranks.add(root);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("reading instruction times", e);
        }
        long first = ranks.stream()
                .flatMapToLong(rank -> Arrays.stream(numbers(rank.path(START))))
                .min()
                .orElse(0);
        Map<String, Timeline> timelines = new LinkedHashMap<>();
        if (ranks.stream().allMatch(rank -> rank.has(DEVICE))) {
            List<JsonNode> devices =
                    ranks.stream().map(rank -> rank.path(DEVICE)).toList();
            timelines.put(MEASURED, timeline(devices, schedule, first));
            timelines.put("asked by the host", timeline(ranks, schedule, first));
        } else {
            timelines.put(MEASURED, timeline(ranks, schedule, first));
        }
        return timelines;
    }

    private static Timeline timeline(List<JsonNode> ranks, Schedule schedule, long first) {
        return new Timeline(schedule, seconds(ranks, START, first), seconds(ranks, END, first));
    }

    private static long[] numbers(JsonNode array) {
        long[] numbers = new long[array.size()];
        Arrays.setAll(numbers, i -> array.get(i).asLong());
        return numbers;
    }

    private static double[][] seconds(List<JsonNode> ranks, String key, long origin) {
        return ranks.stream()
                .map(rank -> Arrays.stream(numbers(rank.path(key)))
                        .mapToDouble(t -> (t - origin) * 1e-9)
                        .toArray())
                .toArray(double[][]::new);
    }
}
