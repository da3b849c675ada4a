package io.penstock.partitioner.render;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One self-contained page: every instruction as a bar with hover, memory over time, a table of alternatives; light and dark by the reader's setting. No script or style comes
 * from elsewhere. The page's own part is {@link TimelineTemplate}, into which the data go as JSON.
 */
public final class TimelinePage {
    private TimelinePage() {}

    /** A table: the first row is its header. */
    public record Table(String title, List<List<String>> rows) {
        public Table {
            rows = rows.stream().map(List::copyOf).toList();
        }
    }

    /**
     * The page.
     *
     * @param timelines by name, in order: "predicted", "measured"
     * @param memory curves of the first timeline, one a rank; empty for none
     * @param capacityBytes of a rank, drawn as a line; 0 for none
     */
    public static String html(
            String title,
            Map<String, Timeline> timelines,
            List<List<MemoryCurve.Point>> memory,
            double capacityBytes,
            List<Table> tables) {
        StringBuilder data = new StringBuilder("{\"title\":").append(Json.quote(title));
        data.append(",\"timelines\":[");
        List<String> parts = new ArrayList<>();
        timelines.forEach((name, timeline) -> parts.add(timeline(name, timeline)));
        data.append(String.join(",", parts)).append("],\"memory\":[");
        data.append(String.join(",", memory.stream().map(TimelinePage::curve).toList()));
        data.append("],\"capacity\":").append(number(capacityBytes)).append(",\"tables\":[");
        data.append(String.join(",", tables.stream().map(TimelinePage::table).toList()));
        data.append("]}");
        return TimelineTemplate.PAGE
                .replace(TimelineTemplate.TITLE, escape(title))
                .replace(TimelineTemplate.DATA, data);
    }

    private static String timeline(String name, Timeline timeline) {
        StringBuilder out = new StringBuilder("{\"name\":" + Json.quote(name) + ",\"seconds\":")
                .append(number(timeline.seconds()))
                .append(",\"ranks\":[");
        List<List<Instruction>> programs = timeline.schedule().instructions();
        for (int rank = 0; rank < programs.size(); rank++) {
            out.append(rank == 0 ? "[" : ",[");
            for (int i = 0; i < programs.get(rank).size(); i++) {
                Instruction instruction = programs.get(rank).get(i);
                out.append(i == 0 ? "[" : ",[")
                        .append(Json.quote(Labels.label(instruction)))
                        .append(",\"")
                        .append(Labels.kind(instruction))
                        .append("\",")
                        .append(number(timeline.start(rank, i)))
                        .append(',')
                        .append(number(timeline.end(rank, i)))
                        .append(']');
            }
            out.append(']');
        }
        return out.append("]}").toString();
    }

    private static String curve(List<MemoryCurve.Point> points) {
        return "["
                + String.join(
                        ",",
                        points.stream()
                                .map(p -> "[" + number(p.seconds()) + "," + number(p.bytes()) + "]")
                                .toList())
                + "]";
    }

    private static String table(Table table) {
        List<String> rows = new ArrayList<>();
        for (List<String> row : table.rows()) {
            rows.add("[" + String.join(",", row.stream().map(Json::quote).toList()) + "]");
        }
        return "{\"title\":" + Json.quote(table.title()) + ",\"rows\":[" + String.join(",", rows) + "]}";
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.9g", value);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
