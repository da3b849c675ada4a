package io.penstock.models.data;

import java.nio.file.Path;

/** Data that cannot be trained on: missing, empty, too small, or with a token that the model has no row for. Bad input, with numbers and place. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DataException(String problem) {
        super(problem);
    }

    DataException(Path source, String problem) {
        super(source + ": " + problem);
    }

    DataException(Path source, Throwable cause) {
        super(source + ": " + cause, cause);
    }
}
