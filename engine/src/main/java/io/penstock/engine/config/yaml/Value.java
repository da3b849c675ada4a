package io.penstock.engine.config.yaml;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was written, with places, before anything is known of types. */
public sealed interface Value {
    Place place();

    /** How an error names this value: {@code the text 'abc'}. */
    String found();

    /**
     * @param plain written without quotes, so it may be a number or a word with a meaning
     */
    record Scalar(String text, boolean plain, Place place) implements Value {
        boolean isNull() {
            return plain && (text.isEmpty() || text.equals("~") || text.equalsIgnoreCase("null"));
        }

        @Override
        public String found() {
            if (isNull()) {
                return "nothing";
            }
            return plain ? "'" + text + "'" : "the quoted text \"" + text + "\"";
        }
    }

    record Sequence(List<Value> items, Place place) implements Value {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public String found() {
            return "a list of " + items.size();
        }
    }

    /** Keys in the order written. */
    record Mapping(Map<String, Field> fields, Place place) implements Value {
        public Mapping {
            fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        }

        @Override
        public String found() {
            return fields.isEmpty() ? "an empty mapping" : "a mapping with the keys " + fields.keySet();
        }
    }

    record Field(Place keyPlace, Value value) {}
}
