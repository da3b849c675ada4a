package io.penstock.jmh.transport;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured: a row a wire, a column a size, the values of all trials; printed as a table of medians in Markdown. */
final class Trials {
    private final Map<String, Map<String, List<Double>>> rows = new LinkedHashMap<>();

    void add(String row, String column, double value) {
        rows.computeIfAbsent(row, key -> new LinkedHashMap<>())
                .computeIfAbsent(column, key -> new ArrayList<>())
                .add(value);
        System.out.printf(Locale.ROOT, "%s, %s: %.5g%n", row, column, value);
    }

    /** The median of the trials, not a number where there are none. */
    double median(String row, String column) {
        List<Double> values = rows.getOrDefault(row, Map.of()).getOrDefault(column, List.of());
        return values.isEmpty() ? Double.NaN : values.stream().sorted().toList().get(values.size() / 2);
    }

    /** Medians divided by a unit; in brackets, where a reference row is named, the ratio to its. */
    void print(String title, double unit, String reference, boolean higherIsBetter) {
        List<String> columns = rows.values().stream()
                .flatMap(row -> row.keySet().stream())
                .distinct()
                .toList();
        StringBuilder text = new StringBuilder("\n| " + title + " |");
        StringBuilder rule = new StringBuilder("\n| --- |");
        for (String column : columns) {
            text.append(' ').append(column).append(" |");
            rule.append(" --- |");
        }
        text.append(rule);
        for (String row : rows.keySet()) {
            text.append("\n| ").append(row).append(" |");
            for (String column : columns) {
                double value = median(row, column);
                double ratio = row.equals(reference) ? Double.NaN : median(reference, column) / value;
                text.append(cell(value / unit, higherIsBetter ? 1 / ratio : ratio));
            }
        }
        System.out.println(text);
    }

    private static String cell(double value, double ratio) {
        if (Double.isNaN(value)) {
            return " - |";
        }
        return Double.isNaN(ratio)
                ? String.format(Locale.ROOT, " %.3g |", value)
                : String.format(Locale.ROOT, " %.3g (%.2fx) |", value, ratio);
    }
}
