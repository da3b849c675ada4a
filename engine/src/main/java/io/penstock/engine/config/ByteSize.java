package io.penstock.engine.config;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes with its unit: {@code 4GiB}, {@code 1.5 GB}, {@code 1048576}. */
public record ByteSize(long bytes) {
    private static final Pattern TEXT = Pattern.compile("([0-9]+(?:\\.[0-9]+)?) ?([KMGT]i?B|B)?");
    private static final Map<String, Long> UNITS = units();

    public ByteSize {
        if (bytes < 1) {
            throw new IllegalArgumentException("expected at least 1 byte, found " + bytes);
        }
    }

    /** @throws IllegalArgumentException without a message where the text is no size at all */
    public static ByteSize parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException();
        }
        long unit = matcher.group(2) == null ? 1 : UNITS.getOrDefault(matcher.group(2), 1L);
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit));
        if (bytes.stripTrailingZeros().scale() > 0) {
            throw new IllegalArgumentException("expected a whole number of bytes, found " + text);
        }
        return new ByteSize(bytes.longValueExact());
    }

    private static Map<String, Long> units() {
        Map<String, Long> units = new LinkedHashMap<>();
        units.put("TiB", 1L << 40);
        units.put("GiB", 1L << 30);
        units.put("MiB", 1L << 20);
        units.put("KiB", 1L << 10);
        units.put("TB", 1_000_000_000_000L);
        units.put("GB", 1_000_000_000L);
        units.put("MB", 1_000_000L);
        units.put("KB", 1_000L);
        return units;
    }

    /** Exact, in the largest unit that divides: {@code 4GiB}. */
    @Override
    public String toString() {
        for (Map.Entry<String, Long> unit : UNITS.entrySet()) {
            if (bytes % unit.getValue() == 0) {
                return bytes / unit.getValue() + unit.getKey();
            }
        }
        return bytes + "B";
    }
}
