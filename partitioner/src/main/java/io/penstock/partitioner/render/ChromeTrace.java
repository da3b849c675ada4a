package io.penstock.partitioner.render;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.simulate.Timeline;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Timelines in the trace event format of Chrome and Perfetto: a process a timeline ("predicted", "measured"), a thread a rank, a complete event an instruction, times in
 * microseconds.
 */
public final class ChromeTrace {
    private ChromeTrace() {}

    /** Processes in the map's order. */
    public static String json(Map<String, Timeline> timelines) {
        StringBuilder out = new StringBuilder("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        int process = 0;
        for (Map.Entry<String, Timeline> timeline : timelines.entrySet()) {
            metadata(out, "process_name", process, 0, timeline.getKey());
            List<List<Instruction>> programs = timeline.getValue().schedule().instructions();
            for (int rank = 0; rank < programs.size(); rank++) {
                metadata(out, "thread_name", process, rank, "rank " + rank);
                for (int i = 0; i < programs.get(rank).size(); i++) {
                    event(out, process, rank, programs.get(rank).get(i), timeline.getValue(), i);
                }
            }
            process++;
        }
        if (out.charAt(out.length() - 2) == ',') {
            out.deleteCharAt(out.length() - 2);
        }
        return out.append("]}\n").toString();
    }

    private static void metadata(StringBuilder out, String what, int process, int thread, String name) {
        out.append("{\"ph\":\"M\",\"name\":\"")
                .append(what)
                .append("\",\"pid\":")
                .append(process)
                .append(",\"tid\":")
                .append(thread)
                .append(",\"args\":{\"name\":")
                .append(Json.quote(name))
                .append("}},\n");
    }

    private static void event(
            StringBuilder out, int process, int rank, Instruction instruction, Timeline timeline, int index) {
        double start = timeline.start(rank, index) * 1e6;
        double duration = timeline.end(rank, index) * 1e6 - start;
        out.append("{\"ph\":\"X\",\"name\":")
                .append(Json.quote(Labels.label(instruction)))
                .append(",\"cat\":\"")
                .append(instruction.getClass().getSimpleName())
                .append(String.format(
                        Locale.ROOT,
                        "\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f",
                        process,
                        rank,
                        start,
                        duration));
        if (instruction instanceof Instruction.OnMicroBatch on) {
            out.append(",\"args\":{\"micro_batch\":")
                    .append(on.microBatch())
                    .append(",\"chunk\":")
                    .append(on.chunk())
                    .append('}');
        }
        out.append("},\n");
    }
}
