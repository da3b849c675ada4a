package io.penstock.models.data;

import java.nio.file.Path;
import java.util.List;

/**
 * What to tokenise and how to split it.
 *
 * @param source a text file, a folder of them (searched in depth), or a {@code .jar} or {@code .zip} of them
 * @param extensions of the files of a folder or archive to take, such as ".java"; all of them if empty
 * @param validationFraction of the bytes to keep from training; 0 for none
 * @param seed decides which files validate
 * @param cacheFolder where tokens are kept from run to run
 */
public record DataRequest(
        Path source, List<String> extensions, double validationFraction, long seed, Path cacheFolder) {
    public DataRequest {
        extensions = List.copyOf(extensions);
        if (!(validationFraction >= 0 && validationFraction < 1)) {
            throw new DataException("validation_fraction=" + validationFraction + ", expected 0 <= fraction < 1");
        }
    }
}
