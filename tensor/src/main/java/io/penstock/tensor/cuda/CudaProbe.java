package io.penstock.tensor.cuda;

import io.penstock.tensor.cuda.LibraryFinder.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What of CUDA this machine has, found without JCuda: safe where there is no GPU at all. */
public final class CudaProbe {
    /** The oldest driver interface that takes our PTX (version 8.0). */
    static final int OLDEST_DRIVER = 12000;

    static final int OLDEST_CAPABILITY = 80;

    /** A library by the name that is looked for; {@code place} is empty where it is missing, {@code mend} says what to do then. */
    public record Library(String name, String use, Optional<String> place, String mend) {}

    /** {@code capability} is ten times the compute capability: 90 for 9.0. */
    public record Device(int index, String name, int capability, long memoryBytes) {
        @Override
        public String toString() {
            return name + ", compute capability " + capability / 10 + "." + capability % 10 + ", " + (memoryBytes >> 20)
                    + " MiB";
        }
    }

    /**
     * {@code driverVersion} is the newest CUDA that the driver speaks (13000 for 13.0), 0 without a driver.
     *
     * @param problem why device cuda cannot be used, with the mend
     */
    public record Report(int driverVersion, List<Device> devices, List<Library> libraries, Optional<String> problem) {}

    private final LibraryFinder finder;
    private final List<Library> libraries = new ArrayList<>();

    CudaProbe(LibraryFinder finder) {
        this.finder = finder;
    }

    /** Opens what it finds; does not create a context on any device. */
    public static Report report() {
        return new CudaProbe(LibraryFinder.ofThisMachine()).run();
    }

    Report run() {
        Optional<Found> driver = look(
                "libcuda.so.1",
                "GPU driver",
                "install NVIDIA's driver (525 or newer); in a container, give it the GPU (docker run --gpus all)");
        boolean cublas = look("libcublas.so.12", "cuBLAS", "").isPresent()
                || look(
                                "libcublas.so.13",
                                "cuBLAS",
                                "install cuBLAS of CUDA 12 or 13 (package libcublas-12-6 or libcublas-13-0) and name"
                                        + " its folder in LD_LIBRARY_PATH")
                        .isPresent();
        DriverCalls.State state = driver.map(found -> DriverCalls.state(found.symbols()))
                .orElse(new DriverCalls.State(0, List.of(), Optional.empty()));
        return new Report(
                state.version(), state.devices(), List.copyOf(libraries), problem(driver.isPresent(), cublas, state));
    }

    private Optional<Found> look(String name, String use, String mend) {
        Optional<Found> found = finder.find(name);
        libraries.add(new Library(name, use, found.map(Found::place), mend));
        return found;
    }

    private Optional<String> problem(boolean driver, boolean cublas, DriverCalls.State state) {
        if (!driver) {
            return Optional.of("no NVIDIA driver: libcuda.so.1 is not found; " + mendOf("libcuda.so.1"));
        }
        if (state.problem().isPresent()) {
            return state.problem();
        }
        if (state.version() < OLDEST_DRIVER) {
            return Optional.of("the driver speaks CUDA " + version(state.version())
                    + ", needed is 12.0 or newer; install driver 525 or newer");
        }
        if (state.devices().isEmpty()) {
            return Optional.of(
                    "the driver sees no GPU; CUDA_VISIBLE_DEVICES may hide it, and a container must be given it");
        }
        Device first = state.devices().getFirst();
        if (first.capability() < OLDEST_CAPABILITY) {
            return Optional.of(first + ": needed is compute capability 8.0 (Ampere) or newer");
        }
        if (!cublas) {
            return Optional.of("libcublas.so.12 and libcublas.so.13 are not found; " + mendOf("libcublas.so.13"));
        }
        return Optional.empty();
    }

    private String mendOf(String name) {
        return libraries.stream()
                .filter(library -> library.name().equals(name))
                .map(Library::mend)
                .findFirst()
                .orElse("");
    }

    /** 13000 as 13.0. */
    public static String version(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }
}
