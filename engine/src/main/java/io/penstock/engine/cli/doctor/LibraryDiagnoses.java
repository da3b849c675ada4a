package io.penstock.engine.cli.doctor;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** oneDNN in our jars, and the GPU libraries of the system. */
final class LibraryDiagnoses {
    private static final String ONE_DNN = "org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3";

    private LibraryDiagnoses() {}

    static List<Diagnosis> all() throws IOException {
        return List.of(
                oneDnn(LibraryDiagnoses.class.getClassLoader()),
                gpu(
                        "GPU driver",
                        "install NVIDIA's driver (any CUDA 12 or 13 driver); in a container: --gpus all",
                        "libcuda.so.1"),
                gpu(
                        "cuBLAS",
                        "install libcublas of CUDA 12 or 13 (Debian: libcublas-12-6)",
                        "libcublas.so.12",
                        "libcublas.so.13"),
                gpu(
                        "NVRTC",
                        "install libnvrtc of CUDA 12 or 13 (Debian: cuda-nvrtc-12-6)",
                        "libnvrtc.so.12",
                        "libnvrtc.so.13"));
    }

    static Diagnosis oneDnn(ClassLoader loader) {
        return loader.getResource(ONE_DNN) != null
                ? Diagnosis.ok("oneDNN", ONE_DNN)
                : Diagnosis.bad(
                        "oneDNN",
                        "not on the class path",
                        "delete engine/target and run ./penstock again: the build fetches it");
    }

    /** The first of the names that the system's loader finds; none of them is needed on the CPU. */
    static Diagnosis gpu(String what, String mend, String... names) throws IOException {
        for (String name : names) {
            if (loads(name)) {
                return Diagnosis.ok(what, name);
            }
        }
        for (String name : names) {
            Optional<Path> aside = usualFolders().stream()
                    .map(folder -> folder.resolve(name))
                    .filter(Files::exists)
                    .findFirst();
            if (aside.isPresent()) {
                return Diagnosis.missing(
                        what,
                        aside.get() + " is there, the loader does not find it",
                        "add " + aside.get().getParent()
                                + " to LD_LIBRARY_PATH or to /etc/ld.so.conf.d and run ldconfig");
            }
        }
        return Diagnosis.missing(
                what, String.join(" and ", names) + " not found", mend + "; only device: cuda needs it");
    }

    @SuppressWarnings("restricted") // the flags of jvm.properties allow native access
    private static boolean loads(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return SymbolLookup.libraryLookup(name, arena) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static List<Path> usualFolders() throws IOException {
        List<Path> folders = new ArrayList<>(
                List.of(Path.of("/usr/lib/wsl/lib"), Path.of("/usr/lib64"), Path.of("/usr/lib/x86_64-linux-gnu")));
        Path local = Path.of("/usr/local");
        if (Files.isDirectory(local)) {
            try (DirectoryStream<Path> cuda = Files.newDirectoryStream(local, "cuda*")) {
                cuda.forEach(folder -> {
                    folders.add(folder.resolve("lib64"));
                    folders.add(folder.resolve("targets/x86_64-linux/lib"));
                });
            }
        }
        return folders;
    }
}
