package io.penstock.engine.offload;

import java.nio.file.Path;

/**
 * Whose store it is and where it may lie.
 *
 * @param directory a folder of a file system with room; made if it is not there
 * @param rank whose store it is, for keys and for errors
 */
public record StoreSettings(Path directory, int rank) {
    public StoreSettings {
        directory = directory.toAbsolutePath().normalize();
    }

    String owner() {
        return "the offloaded state of rank " + rank;
    }
}
