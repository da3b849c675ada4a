package io.penstock.engine.config.yaml;

/**
 * Where a value was written.
 *
 * @param source the file as the user named it, or the whole override such as {@code --set a.b=c}
 * @param line from 1; 0 where the source has no lines
 * @param column from 1; 0 where the source has no lines
 */
public record Place(String source, int line, int column) implements Comparable<Place> {
    public static Place of(String source) {
        return new Place(source, 0, 0);
    }

    boolean inFile() {
        return line > 0;
    }

    /** File order, then overrides. */
    @Override
    public int compareTo(Place other) {
        if (inFile() != other.inFile()) {
            return inFile() ? -1 : 1;
        }
        return line != other.line ? Integer.compare(line, other.line) : Integer.compare(column, other.column);
    }

    @Override
    public String toString() {
        return inFile() ? source + ":" + line + ":" + column : source;
    }
}
