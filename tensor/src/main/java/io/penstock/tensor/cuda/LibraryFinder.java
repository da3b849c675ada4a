package io.penstock.tensor.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds NVIDIA's shared libraries: where the system's loader does (its cache, {@code LD_LIBRARY_PATH}), then in the folders where toolkits install.
 *
 * @param system whether the system's loader is asked; stand-ins of tests are looked for in their folder alone
 */
record LibraryFinder(boolean system, List<Path> folders) {
    /** A library as it was opened; {@code place} is the name for the loader, or a path. Stays open: JCuda's own then find it by its name. */
    record Found(String name, String place, SymbolLookup symbols) {}

    static LibraryFinder ofThisMachine() {
        List<Path> folders = new ArrayList<>();
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            String home = System.getenv(variable);
            if (home != null && !home.isEmpty()) {
                folders.add(Path.of(home, "lib64"));
            }
        }
        folders.add(Path.of("/usr/local/cuda/lib64"));
        folders.add(Path.of("/usr/local/nvidia/lib64"));
        try (DirectoryStream<Path> toolkits = Files.newDirectoryStream(Path.of("/usr/local"), "cuda-*")) {
            for (Path toolkit : toolkits) {
                folders.add(toolkit.resolve("lib64"));
            }
        } catch (IOException e) {
            // no such folder: nothing there
        }
        return new LibraryFinder(true, folders);
    }

    Optional<Found> find(String name) {
        if (system) {
            Optional<Found> found = open(name, name);
            if (found.isPresent()) {
                return found;
            }
        }
        for (Path folder : folders) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                Optional<Found> found = open(name, file.toString());
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    @SuppressWarnings("restricted")
    private static Optional<Found> open(String name, String place) {
        try {
            return Optional.of(new Found(name, place, SymbolLookup.libraryLookup(place, Arena.global())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
