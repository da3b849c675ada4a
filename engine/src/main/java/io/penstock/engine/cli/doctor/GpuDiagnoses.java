package io.penstock.engine.cli.doctor;

import io.penstock.tensor.cuda.CudaProbe;
import io.penstock.tensor.cuda.CudaProbe.Device;
import io.penstock.tensor.cuda.CudaProbe.Library;
import io.penstock.tensor.cuda.GpuReading;
import io.penstock.tensor.cuda.Nvml;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What device: cuda needs: the driver and what it speaks, each device, each library where it was found, and what NVML tells of the devices. */
final class GpuDiagnoses {
    private static final String ONLY_CUDA = "; only device: cuda needs it";

    private GpuDiagnoses() {}

    static List<Diagnosis> all() {
        Optional<Nvml> nvml = Nvml.open();
        try {
            return of(CudaProbe.report(), nvml.map(Nvml::read));
        } finally {
            nvml.ifPresent(Nvml::close);
        }
    }

    /** {@code readings} are absent where NVML is. */
    static List<Diagnosis> of(CudaProbe.Report report, Optional<List<GpuReading>> readings) {
        List<Diagnosis> diagnoses = new ArrayList<>();
        for (Library library : report.libraries()) {
            library.place()
                    .ifPresentOrElse(
                            place -> diagnoses.add(Diagnosis.ok(library.use(), library.name() + " from " + place)),
                            () -> missing(diagnoses, library));
        }
        diagnoses.add(
                report.problem().isEmpty()
                        ? Diagnosis.ok("CUDA", "the driver speaks CUDA " + CudaProbe.version(report.driverVersion()))
                        : Diagnosis.missing(
                                "CUDA",
                                "device: cuda cannot be used",
                                report.problem().get()));
        for (Device device : report.devices()) {
            diagnoses.add(Diagnosis.ok("GPU " + device.index(), device.toString()));
        }
        readings.ifPresentOrElse(
                all -> all.forEach(reading -> diagnoses.add(reading(reading))),
                () -> diagnoses.add(Diagnosis.missing(
                        "NVML",
                        "libnvidia-ml.so.1 not found, or it finds no driver",
                        "it comes with NVIDIA's driver; without it metrics.jsonl has no gpu entries")));
        return diagnoses;
    }

    /** A library without a mend has another that does as well. */
    private static void missing(List<Diagnosis> diagnoses, Library library) {
        if (!library.mend().isEmpty()) {
            diagnoses.add(Diagnosis.missing(library.use(), library.name() + " not found", library.mend() + ONLY_CUDA));
        }
    }

    private static Diagnosis reading(GpuReading reading) {
        List<String> facts = new ArrayList<>();
        reading.utilizationPercent().ifPresent(percent -> facts.add(percent + "% busy"));
        if (reading.memoryUsedBytes().isPresent() && reading.memoryTotalBytes().isPresent()) {
            facts.add(MachineDiagnoses.gib(reading.memoryUsedBytes().get()) + " of "
                    + MachineDiagnoses.gib(reading.memoryTotalBytes().get()) + " used");
        }
        reading.temperatureCelsius().ifPresent(celsius -> facts.add(celsius + " C"));
        reading.powerWatts().ifPresent(watts -> facts.add(String.format(Locale.ROOT, "%.0f W", watts)));
        String found = reading.name() + ": " + String.join(", ", facts);
        return reading.throttleReasons().isEmpty()
                ? Diagnosis.ok("NVML " + reading.index(), found)
                : Diagnosis.missing(
                        "NVML " + reading.index(),
                        found,
                        "clocks are held down: " + String.join(", ", reading.throttleReasons()));
    }
}
