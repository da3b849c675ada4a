package io.penstock.engine.planning;

import io.penstock.engine.config.DeviceKind;
import io.penstock.tensor.cpu.CpuFeatures;
import io.penstock.tensor.cuda.CudaProbe;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What this machine computes with, in words: another processor, card or driver is measured anew. */
final class MachineKey {
    private MachineKey() {}

    static String of(DeviceKind device) {
        return switch (device) {
            case CPU -> {
                CpuFeatures cpu = CpuFeatures.detect();
                yield String.join(" | ", cpuName(), cpu.products(), cpu.processors() + " processors");
            }
            case CUDA -> gpus(CudaProbe.report(), line("/proc/driver/nvidia/version", "NVRM"));
        };
    }

    /** What the layers were timed on, for the reader. */
    static String name(DeviceKind device) {
        return switch (device) {
            case CPU -> "this machine";
            case CUDA ->
                CudaProbe.report().devices().stream()
                        .map(CudaProbe.Device::name)
                        .distinct()
                        .collect(Collectors.joining(" and "));
        };
    }

    /** {@code module}: the line in which the driver's kernel module says its release. */
    static String gpus(CudaProbe.Report report, Optional<String> module) {
        List<String> products = report.libraries().stream()
                .filter(library -> library.place().isPresent())
                .map(CudaProbe.Library::name)
                .filter(name -> name.contains("cublas"))
                .toList();
        return String.join(
                " | ",
                report.devices().stream().map(CudaProbe.Device::toString).collect(Collectors.joining("; ")),
                "CUDA " + CudaProbe.version(report.driverVersion()),
                module.orElse("unknown module"),
                String.join(" ", products));
    }

    private static String cpuName() {
        return line("/proc/cpuinfo", "model name").orElse(System.getProperty("os.arch", "unknown"));
    }

    /** What follows the colon in the first line of a file that begins so. */
    private static Optional<String> line(String file, String begin) {
        Path path = Path.of(file);
        if (!Files.isReadable(path)) {
            return Optional.empty();
        }
        try {
            return Files.readString(path)
                    .lines()
                    .filter(line -> line.startsWith(begin))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
