package io.penstock.engine.config.yaml;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Text to {@link Value}s. The YAML library parses; duplicate keys and places are ours. */
public final class YamlReader {
    private static final int MAX_DEPTH = 32;

    private final Function<Optional<Mark>, Place> place;
    private final Problems problems;
    private boolean unparsable;

    private YamlReader(Function<Optional<Mark>, Place> place, Problems problems) {
        this.place = place;
        this.problems = problems;
    }

    /**
     * A whole file.
     *
     * @throws ConfigException at once where the text is not YAML: nothing more can be said of it
     */
    public static Value.Mapping readFile(String text, String name, Problems problems) {
        Place start = new Place(name, 1, 1);
        YamlReader reader = new YamlReader(
                mark -> mark.map(m -> new Place(name, m.getLine() + 1, m.getColumn() + 1))
                        .orElse(start),
                problems);
        Value value = reader.read(text);
        if (reader.unparsable) {
            problems.throwIfAny();
        }
        if (value instanceof Value.Mapping mapping) {
            return mapping;
        }
        if (!(value instanceof Value.Scalar scalar && scalar.isNull())) {
            problems.add(value.place(), "expected a mapping of sections, found " + value.found());
        }
        return new Value.Mapping(Map.of(), start);
    }

    /** The right-hand side of an override; every value in it has the override as its place. */
    static Value readOverride(String text, Place override, Problems problems) {
        return new YamlReader(mark -> override, problems).read(text);
    }

    private Value read(String text) {
        try {
            LoadSettings settings =
                    LoadSettings.builder().setAllowDuplicateKeys(true).build();
            Optional<Node> root = new Compose(settings).composeString(text);
            return root.isPresent() ? convert(root.get(), 0) : nothing();
        } catch (MarkedYamlEngineException e) {
            unparsable = true;
            problems.add(place.apply(e.getProblemMark()), "not YAML: " + e.getProblem());
        } catch (YamlEngineException e) {
            unparsable = true;
            problems.add(place.apply(Optional.empty()), "not YAML: " + e.getMessage());
        }
        return nothing();
    }

    private Value nothing() {
        return new Value.Scalar("", true, place.apply(Optional.empty()));
    }

    private Value convert(Node node, int depth) {
        Place at = place.apply(node.getStartMark());
        if (depth > MAX_DEPTH) {
            problems.add(at, "nested deeper than " + MAX_DEPTH + " levels");
            return nothing();
        }
        return switch (node) {
            case ScalarNode scalar ->
                new Value.Scalar(scalar.getValue(), scalar.getScalarStyle() == ScalarStyle.PLAIN, at);
            case SequenceNode sequence -> sequence(sequence, at, depth);
            case MappingNode mapping -> mapping(mapping, at, depth);
            default -> nothing();
        };
    }

    private Value sequence(SequenceNode node, Place at, int depth) {
        List<Value> items = new ArrayList<>();
        for (Node item : node.getValue()) {
            items.add(convert(item, depth + 1));
        }
        return new Value.Sequence(items, at);
    }

    private Value mapping(MappingNode node, Place at, int depth) {
        Map<String, Value.Field> fields = new LinkedHashMap<>();
        for (NodeTuple tuple : node.getValue()) {
            Place keyPlace = place.apply(tuple.getKeyNode().getStartMark());
            if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
                problems.add(keyPlace, "a key must be a word");
                continue;
            }
            String key = keyNode.getValue();
            Value.Field first = fields.get(key);
            if (first != null) {
                problems.add(keyPlace, "duplicate key '" + key + "', first given at " + first.keyPlace());
                continue;
            }
            fields.put(key, new Value.Field(keyPlace, convert(tuple.getValueNode(), depth + 1)));
        }
        return new Value.Mapping(fields, at);
    }
}
