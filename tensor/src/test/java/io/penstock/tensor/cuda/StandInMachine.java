package io.penstock.tensor.cuda;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A machine whose GPU, driver and cuBLAS are stand-ins, for tests of other modules; skips the test where there is no g++. */
public final class StandInMachine {
    private StandInMachine() {}

    /** Environment variables that show it to a JVM; its libraries lie in {@code folder}. */
    public static Map<String, String> variables(Path folder) throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "13");
        return Map.of(
                "LD_LIBRARY_PATH",
                folder.toString(),
                "PENSTOCK_HOST_KERNELS",
                HostKernels.library(StandIns.compiler()).toString());
    }
}
