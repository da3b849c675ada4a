package io.penstock.engine.config.yaml;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@link Value}s to records. A value that cannot be read is a problem, and a placeholder stands in for it so that every other value is still looked at;
 * findings about a placeholder are kept back.
 */
public final class Binder {
    private static final Value.Scalar NOTHING = new Value.Scalar("", true, Place.of(""));

    private final Problems problems;
    private final BoundPlaces places;
    private final LeafBinder leaves;

    public Binder(ScalarTypes scalars, Problems problems) {
        this.problems = problems;
        this.places = new BoundPlaces(problems);
        this.leaves = new LeafBinder(scalars, places);
    }

    /** The components of the outermost record, in order, for its constructor. */
    public Object[] bind(Class<? extends Record> root, Value.Mapping value) {
        return components(root, value, "");
    }

    /** Reports a finding where the user wrote the first of its keys, unless one of them could not be read. */
    public void report(Finding finding) {
        places.report(finding);
    }

    private Object[] components(Class<?> record, Value.Mapping value, String path) {
        List<KeySpec> keys = KeySpec.of(record);
        List<String> names = keys.stream().map(KeySpec::name).toList();
        value.fields().forEach((name, field) -> {
            if (!names.contains(name)) {
                unknown(name, field.keyPlace(), path, names);
            }
        });
        return keys.stream()
                .map(key -> component(key, value.fields().get(key.name()), value.place(), child(path, key.name())))
                .toArray();
    }

    private static String child(String path, String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private void unknown(String name, Place place, String path, List<String> names) {
        String suggestion = Nearest.suggestion(name, names);
        problems.add(
                place,
                "unknown key '" + name + "'" + (path.isEmpty() ? "" : " in " + path)
                        + (suggestion.isEmpty() ? "; valid keys: " + String.join(", ", names) : suggestion));
    }

    private Object component(KeySpec key, Value.@Nullable Field field, Place parent, String path) {
        Value given = field == null ? NOTHING : field.value();
        boolean absent = given instanceof Value.Scalar scalar && scalar.isNull();
        if (field != null) {
            places.written(path, key.isSection() ? field.keyPlace() : given.place());
        }
        if (key.isSection()) {
            return section(key.type(), absent ? new Value.Mapping(Map.of(), parent) : given, path);
        }
        if (key.optional()) {
            return absent ? Optional.empty() : Optional.of(leaves.bind(key, given, path));
        }
        if (field != null) {
            return leaves.bind(key, given, path);
        }
        if (key.required()) {
            return leaves.missing(key, parent, path);
        }
        return leaves.byDefault(key, path);
    }

    private Object section(Class<?> type, Value value, String path) {
        Variants variants = Variants.of(type);
        Optional<Class<?>> byWord = variants.byWord(value);
        if (byWord.isPresent()) {
            return construct(byWord.get(), new Object[0], value.place(), path);
        }
        if (!(value instanceof Value.Mapping mapping)) {
            String suggestion =
                    value instanceof Value.Scalar scalar ? Nearest.suggestion(scalar.text(), variants.wordList()) : "";
            places.unreadable(
                    path,
                    value.place(),
                    path + ": expected " + variants.expected() + ", found " + value.found() + suggestion);
            return placeholder(variants, path);
        }
        List<Class<?>> told = variants.told(mapping);
        if (told.size() == 1) {
            return construct(told.get(0), components(told.get(0), mapping, path), mapping.place(), path);
        }
        notOne(variants, told, mapping, path);
        return placeholder(variants, path);
    }

    private void notOne(Variants variants, List<Class<?>> told, Value.Mapping mapping, String path) {
        String found = told.isEmpty()
                ? "none"
                : String.join(" and ", told.stream().map(Variants::tellingKey).toList());
        String oneOf = String.join(", ", variants.tellingKeys());
        places.unreadable(path, mapping.place(), path + ": expected exactly one of " + oneOf + ", found " + found);
        mapping.fields().forEach((name, field) -> {
            if (!variants.allKeys().contains(name)) {
                unknown(name, field.keyPlace(), path, variants.allKeys());
            }
        });
    }

    /** A section of placeholders, made without reporting what it lacks. */
    private Object placeholder(Variants variants, String path) {
        Class<?> record = variants.records().get(0);
        Binder silent = new Binder(leaves.scalars(), new Problems());
        Value.Mapping empty = new Value.Mapping(Map.of(), Place.of(path));
        return silent.construct(record, silent.components(record, empty, path), empty.place(), path);
    }

    private Object construct(Class<?> record, Object[] components, Place place, String path) {
        try {
            return canonicalConstructor(record).newInstance(components);
        } catch (InvocationTargetException e) {
            if (!(e.getCause() instanceof IllegalArgumentException cause)) {
                throw new IllegalStateException(path + " of " + record, e.getCause());
            }
            places.unreadable(path, place, path + ": " + cause.getMessage());
            return placeholder(Variants.of(record), path);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(path + " of " + record, e);
        }
    }

    private static Constructor<?> canonicalConstructor(Class<?> record) throws NoSuchMethodException {
        Class<?>[] types = Arrays.stream(record.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new);
        return record.getDeclaredConstructor(types);
    }
}
