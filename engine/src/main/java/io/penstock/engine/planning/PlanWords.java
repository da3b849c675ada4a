package io.penstock.engine.planning;

import io.penstock.partitioner.simulate.TimeSplit;
import java.util.Locale;

/** Numbers of a plan as people read them. */
final class PlanWords {
    private static final int BAR = 40;

    private PlanWords() {}

    @SuppressWarnings("AnnotateFormatMethod") // its annotation would be a dependency
    static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** "1.23 s", "45.6 ms". */
    static String seconds(double seconds) {
        return seconds >= 1 ? format("%.2f s", seconds) : format("%.1f ms", seconds * 1e3);
    }

    /** "3.2 days", "5.1 hours", "40 minutes". */
    static String hours(double hours) {
        if (hours >= 48) {
            return format("%,.1f days", hours / 24);
        }
        return hours >= 2 ? format("%.1f hours", hours) : format("%.1f minutes", hours * 60);
    }

    /** "15.0 T", "300 B", "2.5 M". */
    static String tokens(double tokens) {
        if (tokens >= 1e12) {
            return format("%.1f T", tokens / 1e12);
        }
        if (tokens >= 1e9) {
            return format("%.1f B", tokens / 1e9);
        }
        return tokens >= 1e6 ? format("%.1f M", tokens / 1e6) : format("%,.0f", tokens);
    }

    /** A bar and the shares: the letters are the legend. */
    static String split(TimeSplit split) {
        double[] parts = {split.compute(), split.bubble(), split.messages(), split.end()};
        String letters = "c.me";
        StringBuilder bar = new StringBuilder();
        double sum = 0;
        for (int i = 0; i < parts.length; i++) {
            sum += parts[i];
            while (bar.length() < Math.round(BAR * sum / split.seconds())) {
                bar.append(letters.charAt(i));
            }
        }
        return format(
                "[%s] c compute %.1f%%  . bubble %.1f%%  m messages %.1f%%  e end of step %.1f%%",
                bar,
                100 * split.compute() / split.seconds(),
                100 * split.bubble() / split.seconds(),
                100 * split.messages() / split.seconds(),
                100 * split.end() / split.seconds());
    }

    /** One line on what a budget takes. */
    static String budget(Budget budget, double tokensPerSecond, int devices) {
        String line = format("%s tokens: %s", tokens(budget.tokens()), hours(budget.hours(tokensPerSecond)));
        return budget.pricePerHour() > 0
                ? line
                        + format(
                                ", %,.2f at %s a device-hour on %,d devices",
                                budget.cost(tokensPerSecond, devices), price(budget.pricePerHour()), devices)
                : line;
    }

    private static String price(double price) {
        return format("%.2f", price);
    }
}
