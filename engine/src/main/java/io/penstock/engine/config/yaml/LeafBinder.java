package io.penstock.engine.config.yaml;

import java.util.List;
import java.util.Optional;

/** One key's value, or list of values, by its type and range. */
final class LeafBinder {
    private final ScalarTypes scalars;
    private final BoundPlaces places;

    LeafBinder(ScalarTypes scalars, BoundPlaces places) {
        this.scalars = scalars;
        this.places = places;
    }

    ScalarTypes scalars() {
        return scalars;
    }

    Object bind(KeySpec key, Value value, String path) {
        return key.list() ? list(key, value, path) : one(key, value, path);
    }

    Object missing(KeySpec key, Place section, String path) {
        ScalarType<?> type = scalars.of(key.type());
        places.unreadable(
                path,
                section,
                "missing key '" + path + "' (" + type.expected() + "): "
                        + key.key().value());
        return standIn(key);
    }

    /** The value of a key that was not written. */
    Object byDefault(KeySpec key, String path) {
        Problems wrong = new Problems();
        Value text = YamlReader.readOverride(key.key().byDefault(), Place.of("default of " + path), wrong);
        Object bound = new LeafBinder(scalars, new BoundPlaces(wrong)).bind(key, text, path);
        wrong.throwIfAny();
        return bound;
    }

    private Object standIn(KeySpec key) {
        if (!key.optional() && !key.required()) {
            return byDefault(key, key.name());
        }
        return key.list() ? List.of() : scalars.of(key.type()).placeholder();
    }

    private Object list(KeySpec key, Value value, String path) {
        if (key.key().orOne() && value instanceof Value.Scalar scalar && !scalar.isNull()) {
            return list(key, new Value.Sequence(List.of(scalar), scalar.place()), path);
        }
        if (!(value instanceof Value.Sequence sequence)) {
            String each = scalars.of(key.type()).expected();
            String expected = key.key().orOne() ? each + ", or a list of them" : "a list, each " + each;
            places.unreadable(path, value.place(), path + ": expected " + expected + ", found " + value.found());
            return standIn(key);
        }
        List<Object> items = sequence.items().stream()
                .map(item -> item(key, item, path))
                .flatMap(Optional::stream)
                .toList();
        if (items.size() < sequence.items().size()) {
            return standIn(key);
        }
        if (key.key().size() >= 0 && key.key().size() != items.size()) {
            String found = "expected " + key.key().size() + " values, found " + items.size();
            places.unreadable(path, value.place(), path + ": " + found);
            return standIn(key);
        }
        return items;
    }

    private Object one(KeySpec key, Value value, String path) {
        return item(key, value, path).orElseGet(() -> standIn(key));
    }

    private Optional<Object> item(KeySpec key, Value value, String path) {
        ScalarType<?> type = scalars.of(key.type());
        String problem = "expected " + type.expected() + ", found " + value.found();
        if (value instanceof Value.Scalar scalar && !scalar.isNull()) {
            try {
                Object bound = type.parser().parse(scalar, key.key());
                Optional<String> outOfRange = Ranges.problem(key.key(), bound);
                if (outOfRange.isEmpty()) {
                    return Optional.of(bound);
                }
                problem = outOfRange.get();
            } catch (ArithmeticException e) {
                int bits = key.type() == int.class || key.type() == Integer.class ? 32 : 64;
                problem = "found " + scalar.text() + ", which does not fit in " + bits + " bits";
            } catch (IllegalArgumentException e) {
                problem = e.getMessage() == null ? problem : e.getMessage();
            }
        }
        places.unreadable(path, value.place(), path + ": " + problem);
        return Optional.empty();
    }
}
