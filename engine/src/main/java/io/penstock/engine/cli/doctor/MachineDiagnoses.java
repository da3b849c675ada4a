package io.penstock.engine.cli.doctor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** CPU, memory and /dev/shm. */
final class MachineDiagnoses {
    /** Instruction sets that decide which kernels run, narrowest first, as Linux names them. */
    private static final List<String> FEATURES = List.of(
            "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve");

    /** A stream of Aeron maps six terms of up to 64 MiB. */
    private static final long SHM_NEEDED_BYTES = 512L << 20;

    private MachineDiagnoses() {}

    static List<Diagnosis> all() throws IOException {
        Path cpuInfo = Path.of("/proc/cpuinfo");
        String cpu = Files.isReadable(cpuInfo) ? Files.readString(cpuInfo) : "";
        return List.of(cpu(cpu), cores(), memory(), sharedMemory(Path.of("/dev/shm")));
    }

    static Diagnosis cpu(String cpuInfo) {
        String model = firstValue(cpuInfo, "model name");
        String flags = firstValue(cpuInfo, "flags") + " " + firstValue(cpuInfo, "Features");
        Set<String> known = Set.copyOf(Arrays.asList(flags.strip().split("\\s+", -1)));
        List<String> have = FEATURES.stream().filter(known::contains).toList();
        String name = model.isEmpty() ? System.getProperty("os.arch") : model;
        String found = name + (have.isEmpty() ? "" : ": " + String.join(" ", have));
        boolean fastBf16 = have.contains("avx512_bf16") || have.contains("amx_bf16");
        return fastBf16
                ? Diagnosis.ok("CPU", found)
                : Diagnosis.missing("CPU", found, "no bf16 instructions: precision: f32 may be as fast as bf16 here");
    }

    private static String firstValue(String cpuInfo, String key) {
        return cpuInfo.lines()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
    }

    private static Diagnosis cores() {
        return Diagnosis.ok("Cores", Runtime.getRuntime().availableProcessors() + " for this process");
    }

    private static Diagnosis memory() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        String found = gib(system.getTotalMemorySize()) + ", " + gib(system.getFreeMemorySize())
                + " free, heap at most " + gib(Runtime.getRuntime().maxMemory());
        return Diagnosis.ok("Memory", found);
    }

    static Diagnosis sharedMemory(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return Diagnosis.missing(
                    folder.toString(), "not there", "Aeron's buffers go to the folder of temporary files instead");
        }
        FileStore store = Files.getFileStore(folder);
        String found = gib(store.getTotalSpace()) + ", " + gib(store.getUsableSpace()) + " free";
        String mend = "mount -o remount,size=2g " + folder + "; in a container: --shm-size=2g" + staleFiles(folder);
        return store.getUsableSpace() >= SHM_NEEDED_BYTES
                ? Diagnosis.ok(folder.toString(), found)
                : Diagnosis.bad(folder.toString(), found + ", " + gib(SHM_NEEDED_BYTES) + " needed", mend);
    }

    private static String staleFiles(Path folder) throws IOException {
        Pattern ours = Pattern.compile("(penstock|aeron).*");
        try (Stream<Path> files = Files.list(folder)) {
            long count = files.filter(
                            file -> ours.matcher(file.getFileName().toString()).matches())
                    .count();
            return count == 0 ? "" : "; " + count + " folders of Aeron or Penstock lie there";
        }
    }

    static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
}
