package io.penstock.tensor.cuda;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.LongSupplier;

/** A machine whose GPU, driver and cuBLAS are stand-ins, for tests of other modules; skips the test where there is no g++. */
public final class StandInMachine {
    private StandInMachine() {}

    /** In a JVM that sees it: how often the thread that asks has waited for a device that was not done yet. */
    @SuppressWarnings("restricted")
    public static LongSupplier hostWaits() {
        var function = SymbolLookup.libraryLookup("libcuda.so.1", Arena.global())
                .find("standInHostWaits")
                .orElseThrow();
        MethodHandle waits =
                Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_LONG));
        return () -> {
            try {
                return (long) waits.invokeExact();
            } catch (Throwable e) {
                throw new IllegalStateException("standInHostWaits", e);
            }
        };
    }

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
