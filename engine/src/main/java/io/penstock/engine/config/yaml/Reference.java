package io.penstock.engine.config.yaml;

import java.util.Locale;

/** The reference page of a configuration, from the records themselves. */
public final class Reference {
    private final ScalarTypes scalars;
    private final StringBuilder out = new StringBuilder();

    private Reference(ScalarTypes scalars) {
        this.scalars = scalars;
    }

    /** Markdown: a table a section, a row a key. */
    public static String markdown(Class<? extends Record> root, ScalarTypes scalars) {
        Reference reference = new Reference(scalars);
        for (KeySpec section : KeySpec.of(root)) {
            reference.section(section, section.name());
        }
        return reference.out.toString();
    }

    private void section(KeySpec section, String path) {
        out.append("\n## `")
                .append(path)
                .append("`\n\n")
                .append(section.key().value())
                .append("\n");
        Variants variants = Variants.of(section.type());
        for (Class<?> word : variants.words()) {
            out.append("\nEither the single word `")
                    .append(path)
                    .append(": ")
                    .append(Variants.word(word))
                    .append("`, or these keys.\n");
        }
        for (Class<?> record : variants.records()) {
            if (variants.records().size() > 1 && !record.isAnnotationPresent(Otherwise.class)) {
                out.append("\nWith `").append(Variants.tellingKey(record)).append("`:\n");
            }
            table(record, path);
        }
        for (Class<?> record : variants.records()) {
            KeySpec.of(record).stream()
                    .filter(KeySpec::isSection)
                    .forEach(inner -> section(inner, path + "." + inner.name()));
        }
    }

    private void table(Class<?> record, String path) {
        out.append("\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        for (KeySpec key : KeySpec.of(record)) {
            String meaning = key.isSection()
                    ? "[`" + path + "." + key.name() + "`](#"
                            + (path + key.name()).toLowerCase(Locale.ROOT).replace(".", "") + "): "
                            + key.key().value()
                    : key.key().value();
            out.append("| `")
                    .append(key.name())
                    .append("` | ")
                    .append(type(key))
                    .append(" | ")
                    .append(byDefault(key));
            out.append(" | ").append(meaning).append(" |\n");
        }
    }

    private String type(KeySpec key) {
        if (key.isSection()) {
            return "section";
        }
        String expected = scalars.of(key.type()).expected();
        String type = key.type().isEnum() ? "`" + String.join("`, `", ScalarTypes.words(key.type())) + "`" : expected;
        String bounds = Ranges.describe(key.key());
        if (key.key().orOne()) {
            return type + ", or a list of them";
        }
        String list = key.list()
                ? "a list" + (key.key().size() < 0 ? "" : " of " + key.key().size()) + ", each "
                : "";
        return list + type + (bounds.isEmpty() ? "" : ", " + bounds);
    }

    private static String byDefault(KeySpec key) {
        if (key.isSection()) {
            return "";
        }
        if (key.required()) {
            return "required";
        }
        return key.optional() ? "none" : "`" + key.key().byDefault() + "`";
    }
}
