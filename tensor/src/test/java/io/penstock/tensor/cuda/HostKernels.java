package io.penstock.tensor.cuda;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/** The kernels as a shared library of the host, compiled once for each state of their sources. */
final class HostKernels {
    private HostKernels() {}

    static synchronized Path library(Path compiler) throws IOException, InterruptedException {
        Path folder = Tools.scratch();
        Path library = folder.resolve("libkernels-" + fingerprint(compiler) + ".so");
        if (!Files.exists(library)) {
            // another JVM of this test run may be at it
            try (FileChannel lock =
                    FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lock.lock();
                if (!Files.exists(library)) {
                    compile(compiler, folder, library);
                }
            }
        }
        return library;
    }

    private static void compile(Path compiler, Path folder, Path library) throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        List<List<String>> commands = new ArrayList<>();
        List<Path> objects = new ArrayList<>();
        List<Path> sources = new ArrayList<>(Tools.kernels());
        sources.add(Tools.hostSources().resolve("host.cpp"));
        for (Path source : sources) {
            Path object = Files.createTempFile(folder, source.getFileName().toString(), ".o");
            objects.add(object);
            List<String> command = List.of(
                    compiler.toString(),
                    "-std=c++17",
                    "-O2",
                    "-fPIC",
                    "-ftls-model=initial-exec",
                    "-Wall",
                    "-Werror",
                    "-Wno-unknown-pragmas",
                    "-I" + Tools.sources(),
                    "-I" + Tools.hostSources(),
                    "-x",
                    "c++",
                    "-c",
                    source.toString(),
                    "-o",
                    object.toString());
            commands.add(command);
            processes.add(Tools.start(command));
        }
        for (int i = 0; i < processes.size(); i++) {
            Tools.finish(processes.get(i), commands.get(i));
        }
        Path part = Files.createTempFile(folder, "libkernels", ".so");
        List<String> link = new ArrayList<>(List.of(compiler.toString(), "-shared", "-o", part.toString()));
        objects.forEach(object -> link.add(object.toString()));
        Tools.run(link);
        Files.move(part, library, StandardCopyOption.ATOMIC_MOVE);
        for (Path object : objects) {
            Files.delete(object);
        }
    }

    private static String fingerprint(Path compiler) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(compiler.toRealPath().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        for (Path folder : List.of(Tools.sources(), Tools.hostSources())) {
            try (var files = Files.list(folder)) {
                for (Path file : files.sorted().toList()) {
                    if (!file.toString().endsWith(".ptx")) {
                        crc.update(Files.readAllBytes(file));
                    }
                }
            }
        }
        return Long.toHexString(crc.getValue());
    }
}
