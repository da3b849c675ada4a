package io.penstock.engine.config.yaml;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A record component seen as a key.
 *
 * @param name in snake case
 * @param type what a value binds to: the element type of an {@link Optional} or a {@link List}
 */
record KeySpec(String name, RecordComponent component, Key key, Class<?> type, boolean optional, boolean list) {
    /** The keys of a record, in order. */
    static List<KeySpec> of(Class<?> record) {
        return Arrays.stream(record.getRecordComponents()).map(KeySpec::of).toList();
    }

    private static KeySpec of(RecordComponent component) {
        Key key = component.getAnnotation(Key.class);
        if (key == null) {
            throw new IllegalStateException(
                    component.getDeclaringRecord() + "." + component.getName() + " has no @Key");
        }
        Class<?> raw = component.getType();
        boolean optional = raw == Optional.class;
        boolean list = raw == List.class;
        Class<?> type = optional || list
                ? (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0]
                : raw;
        return new KeySpec(snakeCase(component.getName()), component, key, type, optional, list);
    }

    /** A section has keys of its own, or is one of several records that have. */
    boolean isSection() {
        return type.isSealed() || isRecordOfKeys(type);
    }

    static boolean isRecordOfKeys(Class<?> type) {
        return type.isRecord()
                && (type.isAnnotationPresent(Word.class)
                        || Arrays.stream(type.getRecordComponents())
                                .anyMatch(component -> component.isAnnotationPresent(Key.class)));
    }

    boolean required() {
        return !optional && !isSection() && key.byDefault().equals(Key.REQUIRED);
    }

    static String snakeCase(String camelCase) {
        return camelCase.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
