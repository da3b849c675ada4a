package io.penstock.engine.config.yaml;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The ranges of {@link Key}, checked for values from YAML and, by the records' constructors, for values from Java. */
public final class Ranges {
    private Ranges() {}

    /**
     * For compact constructors: every component of the record, in order.
     *
     * @throws IllegalArgumentException naming every key out of range
     */
    public static void check(Class<? extends Record> record, Object... values) {
        List<KeySpec> keys = KeySpec.of(record);
        if (keys.size() != values.length) {
            throw new IllegalStateException(record + " has " + keys.size() + " keys, " + values.length + " were given");
        }
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            String name = keys.get(i).name();
            problem(keys.get(i).key(), values[i]).ifPresent(message -> wrong.add(name + ": " + message));
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
    }

    static Optional<String> problem(Key key, Object value) {
        return switch (value) {
            case Number number
            when !contains(key, number.doubleValue()) -> Optional.of("expected " + describe(key) + ", found " + number);
            case String text
            when !key.pattern().isEmpty() && !text.matches(key.pattern()) ->
                Optional.of("expected text that matches " + key.pattern() + ", found '" + text + "'");
            case List<?> list
            when key.size() >= 0 && list.size() != key.size() ->
                Optional.of("expected " + key.size() + " values, found " + list.size());
            case List<?> list ->
                list.stream().flatMap(item -> problem(key, item).stream()).findFirst();
            case Optional<?> optional when optional.isPresent() -> problem(key, optional.get());
            default -> Optional.empty();
        };
    }

    private static boolean contains(Key key, double value) {
        return value >= key.min() && value <= key.max() && value > key.above() && value < key.below();
    }

    /** {@code at least 1}, {@code greater than 0 and at most 1}; empty where anything goes. */
    static String describe(Key key) {
        List<String> bounds = new ArrayList<>();
        if (Double.isFinite(key.min())) {
            bounds.add("at least " + number(key.min()));
        }
        if (Double.isFinite(key.above())) {
            bounds.add("greater than " + number(key.above()));
        }
        if (Double.isFinite(key.max())) {
            bounds.add("at most " + number(key.max()));
        }
        if (Double.isFinite(key.below())) {
            bounds.add("less than " + number(key.below()));
        }
        return String.join(" and ", bounds);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
