package io.penstock.engine.config.yaml;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The records a sealed section may be. The first key of each record tells it from the others ({@code preset}, {@code pretrained}); a record with a {@link
 * Word} has no keys and is chosen by its word; a section with one record of keys needs no telling, and {@link Otherwise} marks the one that is meant untold.
 */
record Variants(List<Class<?>> records, List<Class<?>> words) {
    static Variants of(Class<?> section) {
        List<Class<?>> all = section.isSealed() ? Arrays.asList(section.getPermittedSubclasses()) : List.of(section);
        return new Variants(
                all.stream()
                        .filter(type -> !type.isAnnotationPresent(Word.class))
                        .toList(),
                all.stream()
                        .filter(type -> type.isAnnotationPresent(Word.class))
                        .toList());
    }

    static String tellingKey(Class<?> record) {
        return KeySpec.of(record).get(0).name();
    }

    static String word(Class<?> type) {
        return type.getAnnotation(Word.class).value();
    }

    Optional<Class<?>> byWord(Value value) {
        return value instanceof Value.Scalar scalar
                ? words.stream()
                        .filter(type -> word(type).equals(scalar.text()))
                        .findFirst()
                : Optional.empty();
    }

    /** The records whose telling key was written; where none was, the record for that case. */
    List<Class<?>> told(Value.Mapping mapping) {
        if (records.size() == 1) {
            return records;
        }
        List<Class<?>> told = records.stream()
                .filter(record -> !record.isAnnotationPresent(Otherwise.class))
                .filter(record -> mapping.fields().containsKey(tellingKey(record)))
                .toList();
        return told.isEmpty()
                ? records.stream()
                        .filter(record -> record.isAnnotationPresent(Otherwise.class))
                        .toList()
                : told;
    }

    List<String> tellingKeys() {
        return records.stream().map(Variants::tellingKey).toList();
    }

    List<String> wordList() {
        return words.stream().map(Variants::word).toList();
    }

    /** Every key of every record, for the nearest one to a misspelt telling key. */
    List<String> allKeys() {
        return records.stream()
                .flatMap(record -> KeySpec.of(record).stream().map(KeySpec::name))
                .distinct()
                .toList();
    }

    String expected() {
        Stream<String> quoted = wordList().stream().map(word -> "the word '" + word + "'");
        return String.join(
                " or ", Stream.concat(quoted, Stream.of("a mapping of keys")).toList());
    }
}
