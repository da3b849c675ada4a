package io.penstock.engine.config.yaml;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** {@code --set a.b=c}: replaces or adds one key, as if the file had said so. Later ones win. */
public final class Overrides {
    private static final Pattern PATH = Pattern.compile("[a-z0-9_]+(\\.[a-z0-9_]+)*");

    private Overrides() {}

    public static Value.Mapping apply(Value.Mapping root, List<String> overrides, Problems problems) {
        Value.Mapping result = root;
        for (String override : overrides) {
            Place place = Place.of("--set " + override);
            int equals = override.indexOf('=');
            String path = equals < 0 ? "" : override.substring(0, equals).strip();
            if (!PATH.matcher(path).matches()) {
                problems.add(place, "expected section.key=value, as in --set training.steps=10");
                continue;
            }
            Value value = YamlReader.readOverride(override.substring(equals + 1), place, problems);
            result = put(result, List.of(path.split("\\.", -1)), value);
        }
        return result;
    }

    private static Value.Mapping put(Value.Mapping mapping, List<String> path, Value value) {
        Map<String, Value.Field> fields = new LinkedHashMap<>(mapping.fields());
        String key = path.get(0);
        Value inner = value;
        if (path.size() > 1) {
            Value.Field old = fields.get(key);
            Value.Mapping section = old != null && old.value() instanceof Value.Mapping existing
                    ? existing
                    : new Value.Mapping(Map.of(), value.place());
            inner = put(section, path.subList(1, path.size()), value);
        }
        fields.put(key, new Value.Field(value.place(), inner));
        return new Value.Mapping(fields, mapping.place());
    }
}
