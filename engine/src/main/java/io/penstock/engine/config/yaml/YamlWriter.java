package io.penstock.engine.config.yaml;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Records of keys to YAML that binds to equal records. The text is stable: record order, one key a line, line feeds. */
public final class YamlWriter {
    private static final Pattern SAFE =
            Pattern.compile("(?!(true|false|null|yes|no|on|off)$)[A-Za-z0-9/][A-Za-z0-9_./:-]*(?<!:)");

    private final StringBuilder out = new StringBuilder();

    private YamlWriter() {}

    public static String write(Record root) {
        YamlWriter writer = new YamlWriter();
        writer.fields(root, "");
        return writer.out.toString();
    }

    private void fields(Object record, String indent) {
        for (KeySpec key : KeySpec.of(record.getClass())) {
            field(key, value(key, record), indent);
        }
    }

    private static Object value(KeySpec key, Object record) {
        try {
            return key.component().getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("reading " + key.name() + " of " + record.getClass(), e);
        }
    }

    private void field(KeySpec key, Object value, String indent) {
        if (value instanceof Optional<?> optional) {
            if (optional.isPresent()) {
                line(key, scalar(optional.get()), indent);
            }
        } else if (value.getClass().isAnnotationPresent(Word.class)) {
            line(key, Variants.word(value.getClass()), indent);
        } else if (key.isSection()) {
            out.append(indent).append(key.name()).append(":\n");
            fields(value, indent + "  ");
        } else if (value instanceof List<?> list && key.key().orOne() && list.size() == 1) {
            line(key, scalar(list.getFirst()), indent);
        } else if (value instanceof List<?> list) {
            line(key, list.stream().map(YamlWriter::scalar).collect(Collectors.joining(", ", "[", "]")), indent);
        } else {
            line(key, scalar(value), indent);
        }
    }

    private void line(KeySpec key, String text, String indent) {
        out.append(indent).append(key.name()).append(": ").append(text).append('\n');
    }

    private static String scalar(Object value) {
        String text = value.toString();
        boolean plain = value instanceof Number
                || value instanceof Boolean
                || SAFE.matcher(text).matches();
        return plain ? text : quoted(text);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                default -> {
                    boolean printable = c >= 0x20 && c < 0x7f;
                    quoted.append(printable ? String.valueOf(c) : String.format("\\u%04x", (int) c));
                }
            }
        }
        return quoted.append('"').toString();
    }
}
