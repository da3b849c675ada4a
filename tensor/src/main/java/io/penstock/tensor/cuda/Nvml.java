package io.penstock.tensor.cuda;

import io.penstock.tensor.cuda.LibraryFinder.Found;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * NVIDIA's management library (libnvidia-ml.so.1, part of the driver), as nvml.h declares it: utilization, memory, temperature, power and why clocks are low.
 * Absent where the library is, or where it finds no driver. One thread at a time.
 */
public final class Nvml implements AutoCloseable {
    private static final int SUCCESS = 0;
    private static final int NAME_BYTES = 96; // NVML_DEVICE_NAME_V2_BUFFER_SIZE
    private static final int SENSOR_OF_THE_CHIP = 0; // NVML_TEMPERATURE_GPU
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;

    /** Bits of nvmlClocksThrottleReasons; idleness and clocks that were asked for are no trouble. */
    private enum Reason {
        POWER_CAP(0x4, "software power cap"),
        HARDWARE_SLOWDOWN(0x8, "hardware slowdown"),
        SYNC_BOOST(0x10, "sync boost"),
        SOFTWARE_THERMAL(0x20, "software thermal slowdown"),
        HARDWARE_THERMAL(0x40, "hardware thermal slowdown"),
        POWER_BRAKE(0x80, "hardware power brake");

        private final long bit;
        private final String words;

        Reason(long bit, String words) {
            this.bit = bit;
            this.words = words;
        }
    }

    private final SymbolLookup symbols;
    private final Map<String, MethodHandle> handles = new HashMap<>();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(NAME_BYTES, 8);
    private final List<MemorySegment> devices = new ArrayList<>();
    private boolean closed;

    private Nvml(SymbolLookup symbols) {
        this.symbols = symbols;
    }

    public static Optional<Nvml> open() {
        return open(LibraryFinder.ofThisMachine());
    }

    static Optional<Nvml> open(LibraryFinder finder) {
        Optional<Found> library = finder.find("libnvidia-ml.so.1");
        if (library.isEmpty()) {
            return Optional.empty();
        }
        Nvml nvml = new Nvml(library.get().symbols());
        if (!nvml.call("nvmlInit_v2", List.of())) {
            nvml.arena.close();
            return Optional.empty();
        }
        nvml.findDevices();
        return Optional.of(nvml);
    }

    private void findDevices() {
        if (!call("nvmlDeviceGetCount_v2", List.of(POINTER), buffer)) {
            return;
        }
        int count = buffer.get(INT, 0);
        for (int i = 0; i < count; i++) {
            if (call("nvmlDeviceGetHandleByIndex_v2", List.of(INT, POINTER), i, buffer)) {
                devices.add(buffer.get(ValueLayout.ADDRESS, 0));
            }
        }
    }

    /** One reading a device. */
    public List<GpuReading> read() {
        List<GpuReading> readings = new ArrayList<>();
        for (int i = 0; i < devices.size(); i++) {
            readings.add(read(i, devices.get(i)));
        }
        return readings;
    }

    private GpuReading read(int index, MemorySegment device) {
        boolean named = call("nvmlDeviceGetName", List.of(POINTER, POINTER, INT), device, buffer, NAME_BYTES);
        String name = named ? buffer.getString(0) : "GPU " + index;
        // struct { unsigned gpu, memory; }
        Optional<Integer> utilization = call("nvmlDeviceGetUtilizationRates", List.of(POINTER, POINTER), device, buffer)
                ? Optional.of(buffer.get(INT, 0))
                : Optional.empty();
        // struct { unsigned long long total, free, used; }
        boolean memory = call("nvmlDeviceGetMemoryInfo", List.of(POINTER, POINTER), device, buffer);
        Optional<Long> total = memory ? Optional.of(buffer.get(LONG, 0)) : Optional.empty();
        Optional<Long> used = memory ? Optional.of(buffer.get(LONG, 16)) : Optional.empty();
        boolean warm =
                call("nvmlDeviceGetTemperature", List.of(POINTER, INT, POINTER), device, SENSOR_OF_THE_CHIP, buffer);
        Optional<Integer> temperature = warm ? Optional.of(buffer.get(INT, 0)) : Optional.empty();
        Optional<Double> watts = call("nvmlDeviceGetPowerUsage", List.of(POINTER, POINTER), device, buffer)
                ? Optional.of(buffer.get(INT, 0) / 1e3)
                : Optional.empty();
        return new GpuReading(index, name, utilization, used, total, temperature, watts, reasons(device));
    }

    private List<String> reasons(MemorySegment device) {
        // CUDA 12.2 renamed it
        boolean known = call("nvmlDeviceGetCurrentClocksEventReasons", List.of(POINTER, POINTER), device, buffer)
                || call("nvmlDeviceGetCurrentClocksThrottleReasons", List.of(POINTER, POINTER), device, buffer);
        List<String> words = new ArrayList<>();
        for (Reason reason : Reason.values()) {
            if (known && (buffer.get(LONG, 0) & reason.bit) != 0) {
                words.add(reason.words);
            }
        }
        return words;
    }

    /** Whether the function is there and succeeded. */
    private boolean call(String name, List<MemoryLayout> parameters, Object... arguments) {
        try {
            MethodHandle handle = handles.get(name);
            if (handle == null) {
                Optional<MemorySegment> address = symbols.find(name);
                if (address.isEmpty()) {
                    return false;
                }
                handle = link(address.get(), parameters);
                handles.put(name, handle);
            }
            return (int) handle.invokeWithArguments(arguments) == SUCCESS;
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle link(MemorySegment address, List<MemoryLayout> parameters) {
        return Linker.nativeLinker()
                .downcallHandle(address, FunctionDescriptor.of(INT, parameters.toArray(MemoryLayout[]::new)));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            call("nvmlShutdown", List.of());
            arena.close();
        }
    }
}
