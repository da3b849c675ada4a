package io.penstock.transport.driver;

import java.nio.file.Path;
import java.util.Objects;

/**
 * @param parent where the private directory is made, normally {@code /dev/shm}
 * @param job a name for people, part of the directory's name
 * @param neededBytes what must be free there before the start, see {@link StreamBudget}
 * @param udpWindowBytes the largest receive window of a UDP stream
 */
public record DriverSettings(Path parent, String job, long neededBytes, int udpWindowBytes) {
    public static final Path SHARED_MEMORY = Path.of("/dev/shm");

    public DriverSettings {
        Objects.requireNonNull(parent);
        Objects.requireNonNull(job);
        if (neededBytes < 0) {
            throw new IllegalArgumentException("neededBytes=" + neededBytes + " < 0");
        }
    }
}
