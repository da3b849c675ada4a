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
        return key.list() ? List.of() : type.placeholder();
    }

    private Object list(KeySpec key, Value value, String path) {
        if (!(value instanceof Value.Sequence sequence)) {
            String expected = "a list, each " + scalars.of(key.type()).expected();
            places.unreadable(path, value.place(), path + ": expected " + expected + ", found " + value.found());
            return List.of();
        }
        List<Object> items =
                sequence.items().stream().map(item -> one(key, item, path)).toList();
        if (key.key().size() >= 0 && key.key().size() != items.size()) {
            Ranges.problem(key.key(), items)
                    .ifPresent(message -> places.unreadable(path, value.place(), path + ": " + message));
        }
        return items;
    }

    private Object one(KeySpec key, Value value, String path) {
        ScalarType<?> type = scalars.of(key.type());
        String problem = "expected " + type.expected() + ", found " + value.found();
        if (value instanceof Value.Scalar scalar && !scalar.isNull()) {
            try {
                Object bound = type.parser().parse(scalar, key.key());
                Optional<String> outOfRange = Ranges.problem(key.key(), bound);
                if (outOfRange.isEmpty()) {
                    return bound;
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
        return type.placeholder();
    }
}
