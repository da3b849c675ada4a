package io.penstock.partitioner.render;

import java.util.Locale;

/** Sizes as people read them. */
public final class Bytes {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

    private Bytes() {}

    /** Three or more digits with a binary unit: "512 B", "1.50 GiB", "22.4 GiB". */
    public static String text(double bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        String digits = unit == 0 || value >= 100 ? "%.0f %s" : value >= 10 ? "%.1f %s" : "%.2f %s";
        return String.format(Locale.ROOT, digits, value, UNITS[unit]);
    }
}
