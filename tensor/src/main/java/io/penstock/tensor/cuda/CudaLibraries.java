package io.penstock.tensor.cuda;

import io.penstock.tensor.cuda.LibraryFinder.Found;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import jcuda.JCudaVersion;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * Loads JCuda's native libraries, JCublas 12.6 also where only CUDA 13 is installed: there a private copy of it is told to need {@code libcublas.so.13},
 * whose entry points that we call are the same.
 *
 * <p>JCuda looks for a library in {@code java.library.path}, then for a file of its name in {@code java.io.tmpdir}, which it would unpack there. So the
 * copies lie in a folder that only this user can enter, and the property names that folder while JCuda loads. It is put back at once.
 */
final class CudaLibraries {
    private static final String CUBLAS_12 = "libcublas.so.12";
    private static final String CUBLAS_13 = "libcublas.so.13";
    private static final String TEMPORARY = "java.io.tmpdir";

    private static boolean loaded;

    private CudaLibraries() {}

    static synchronized void load(LibraryFinder finder) {
        if (loaded) {
            return;
        }
        // Opened first, by path where need be: the loader then knows them by name, wherever they lie.
        require(finder, "libcuda.so.1");
        boolean cuda12 = finder.find("libcublasLt.so.12").isPresent()
                && finder.find(CUBLAS_12).isPresent();
        if (!cuda12) {
            finder.find("libcublasLt.so.13");
            require(finder, CUBLAS_13);
        }
        try {
            Path folder = Files.createTempDirectory("penstock-cuda");
            folder.toFile().deleteOnExit();
            unpack(folder, library("JCudaDriver"), false);
            unpack(folder, library("JCublas2"), !cuda12);
            String before = System.getProperty(TEMPORARY);
            System.setProperty(TEMPORARY, folder.toString());
            try {
                JCudaDriver.setExceptionsEnabled(true);
                JCublas2.initialize();
            } finally {
                System.setProperty(TEMPORARY, before);
            }
        } catch (IOException | UnsatisfiedLinkError | ExceptionInInitializerError e) {
            throw new CudaUnavailableException("JCuda's native libraries do not load: " + e.getMessage(), e);
        }
        loaded = true;
    }

    private static void require(LibraryFinder finder, String name) {
        Optional<Found> found = finder.find(name);
        if (found.isEmpty()) {
            throw new CudaUnavailableException(name + " is not found; penstock doctor says what to install");
        }
    }

    static String library(String name) {
        return "lib" + name + "-" + JCudaVersion.get() + "-linux-x86_64.so";
    }

    private static void unpack(Path folder, String name, boolean forCuda13) throws IOException {
        try (InputStream in = JCudaVersion.class.getResourceAsStream("/lib/" + name)) {
            if (in == null) {
                throw new IOException("the class path has no lib/" + name);
            }
            byte[] bytes = in.readAllBytes();
            Path file = folder.resolve(name);
            file.toFile().deleteOnExit();
            Files.write(file, forCuda13 ? forCuda13(bytes) : bytes);
        }
    }

    /** The library's bytes, changed in place to need cuBLAS of CUDA 13. */
    static byte[] forCuda13(byte[] library) {
        ElfLibrary elf = new ElfLibrary(library);
        if (elf.replaceNeeded(CUBLAS_12, CUBLAS_13) == 0) {
            throw new IllegalStateException("JCublas does not need " + CUBLAS_12 + ": another version of it?");
        }
        return elf.bytes();
    }
}
