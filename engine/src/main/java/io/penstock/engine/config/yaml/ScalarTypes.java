package io.penstock.engine.config.yaml;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The scalar types of a configuration: the usual ones, enums by their words, and those a caller adds. */
public final class ScalarTypes {
    private static final Pattern WHOLE = Pattern.compile("[-+]?[0-9]+(_[0-9]+)*");
    private static final Pattern NUMBER =
            Pattern.compile("[-+]?([0-9]+(_[0-9]+)*(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?");

    private final Path folder;
    private final Map<Class<?>, ScalarType<?>> types = new HashMap<>();

    /** @param folder the configuration file's: relative input paths lie in it */
    public ScalarTypes(Path folder) {
        this.folder = folder;
        types.put(int.class, new ScalarType<>("a whole number", (s, key) -> Math.toIntExact(whole(s)), 1));
        types.put(Integer.class, types.get(int.class));
        types.put(long.class, new ScalarType<>("a whole number", (s, key) -> whole(s), 1L));
        types.put(double.class, new ScalarType<>("a number", (s, key) -> number(s), 1.0));
        types.put(Double.class, types.get(double.class));
        types.put(boolean.class, new ScalarType<>("true or false", (s, key) -> truth(s), false));
        types.put(Boolean.class, types.get(boolean.class));
        types.put(String.class, new ScalarType<>("text", (s, key) -> s.text(), "placeholder"));
        types.put(Path.class, new ScalarType<>("a path", (s, key) -> path(s, key), Path.of("")));
    }

    public <T> ScalarTypes with(Class<T> type, ScalarType<T> scalarType) {
        types.put(type, scalarType);
        return this;
    }

    ScalarType<?> of(Class<?> type) {
        ScalarType<?> known = types.get(type);
        if (known != null) {
            return known;
        }
        if (type.isEnum()) {
            return word(type);
        }
        throw new IllegalStateException("no scalar type for " + type);
    }

    /** The words of an enum are its constants' {@code toString()}. */
    static List<String> words(Class<?> type) {
        return Arrays.stream(type.getEnumConstants()).map(Object::toString).toList();
    }

    private static ScalarType<?> word(Class<?> type) {
        List<String> words = words(type);
        Object[] constants = type.getEnumConstants();
        String expected = words.size() == 1 ? "'" + words.get(0) + "'" : "one of " + String.join(", ", words);
        ScalarType.Parser<Object> parser = (scalar, key) -> {
            int index = words.indexOf(scalar.text());
            if (index < 0) {
                throw new IllegalArgumentException("expected " + expected + ", found " + scalar.found()
                        + Nearest.suggestion(scalar.text(), words));
            }
            return constants[index];
        };
        return new ScalarType<>(expected, parser, constants[0]);
    }

    private static long whole(Value.Scalar scalar) {
        if (!scalar.plain() || !WHOLE.matcher(scalar.text()).matches()) {
            throw ScalarType.mismatch();
        }
        try {
            return Long.parseLong(scalar.text().replace("_", ""));
        } catch (NumberFormatException e) {
            throw new ArithmeticException("long overflow");
        }
    }

    private static double number(Value.Scalar scalar) {
        if (!scalar.plain() || !NUMBER.matcher(scalar.text()).matches()) {
            throw ScalarType.mismatch();
        }
        return Double.parseDouble(scalar.text().replace("_", ""));
    }

    private static boolean truth(Value.Scalar scalar) {
        @Nullable
        Boolean value = scalar.plain() ? Map.of("true", true, "false", false).get(scalar.text()) : null;
        if (value == null) {
            throw ScalarType.mismatch();
        }
        return value;
    }

    private Path path(Value.Scalar scalar, Key key) {
        return resolve(scalar, key.output() || !scalar.place().inFile() ? Path.of("") : folder);
    }

    /** An absolute path; a relative one from a file lies in the configuration's folder, from the command line in the working folder. */
    public Path inputPath(Value.Scalar scalar) {
        return resolve(scalar, scalar.place().inFile() ? folder : Path.of(""));
    }

    private static Path resolve(Value.Scalar scalar, Path base) {
        String text = scalar.text();
        if (text.isBlank()) {
            throw ScalarType.mismatch();
        }
        try {
            Path path =
                    text.startsWith("~/") ? Path.of(System.getProperty("user.home"), text.substring(2)) : Path.of(text);
            return base.resolve(path).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("not a path: " + e.getMessage(), e);
        }
    }
}
