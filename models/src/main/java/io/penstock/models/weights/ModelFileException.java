package io.penstock.models.weights;

import java.nio.file.Path;

/** A file of a model folder is missing, damaged or not of this model: bad input. The message begins with the file and the place in it. */
public final class ModelFileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ModelFileException(Path file, String problem) {
        super(file + ": " + problem);
    }

    ModelFileException(Path file, Throwable cause) {
        super(file + ": " + cause, cause);
    }

    /** {@code offset}: of the byte in the file where the problem lies. */
    ModelFileException(Path file, long offset, String problem) {
        super(file + ":" + offset + ": " + problem);
    }

    ModelFileException(Path file, int line, int column, String problem) {
        super(file + ":" + line + ":" + column + ": " + problem);
    }
}
