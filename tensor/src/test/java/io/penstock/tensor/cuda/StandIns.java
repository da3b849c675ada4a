package io.penstock.tensor.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Libraries that are none of NVIDIA's but have their names, their symbol versions and enough of their functions. */
final class StandIns {
    private StandIns() {}

    /** Without a name inside: found by its path alone, so that a real library of that name may still be loaded into this JVM. */
    static final String NAMELESS = "-Wl,-soname,nameless";

    /** A folder with libcuda.so.1 and with the cuBLAS of one CUDA version ("12" or "13"), no other. */
    static LibraryFinder driverAndCublas(Path folder, String version, String... more)
            throws IOException, InterruptedException {
        Path compiler = compiler();
        Path source = Tools.hostSources().resolve("driver.cpp");
        Path object = folder.resolve("driver.o");
        Tools.run(List.of(compiler.toString(), "-c", "-fPIC", "-O1", "-o", object.toString(), source.toString()));
        compile(compiler, object, folder, "libcuda.so.1", "", more);
        // cuBLAS names its symbols' version after its file
        String cublas = "libcublas.so." + version;
        compile(compiler, object, folder, cublas, cublas + " { global: cublas*; local: *; };", more);
        compile(compiler, object, folder, "libcublasLt.so." + version, "", more);
        Files.delete(object);
        return new LibraryFinder(false, List.of(folder));
    }

    static Path compiler() {
        var compiler = Tools.find("g++");
        Assumptions.assumeTrue(compiler.isPresent(), "no g++ to compile stand-in libraries with");
        return compiler.orElseThrow();
    }

    /** A shared library of that name from a source or an object; {@code versions} is a version script, or empty. */
    static Path compile(Path compiler, Path source, Path folder, String name, String versions, String... more)
            throws IOException, InterruptedException {
        Path library = folder.resolve(name);
        Path script = Files.writeString(folder.resolve(name + ".map"), versions);
        List<String> command = new ArrayList<>(List.of(
                compiler.toString(), "-shared", "-fPIC", "-O1", "-Wl,-soname," + name, "-o", library.toString()));
        if (!versions.isEmpty()) {
            command.add("-Wl,--version-script=" + script);
        }
        command.addAll(List.of(more));
        if (source.toString().endsWith(".c")) {
            command.addAll(List.of("-x", "c"));
        }
        command.add(source.toString());
        Tools.run(command);
        return library;
    }
}
