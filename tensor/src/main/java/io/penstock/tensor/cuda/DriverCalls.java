package io.penstock.tensor.cuda;

import io.penstock.tensor.cuda.CudaProbe.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The few calls of the driver's API that tell versions and devices, as cuda.h declares them: they return 0 or an error number. */
final class DriverCalls {
    private static final int NAME_BYTES = 256;
    private static final int CAPABILITY_MAJOR = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private static final int CAPABILITY_MINOR = 76;
    private static final int NO_DEVICE = 100; // CUDA_ERROR_NO_DEVICE
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;

    /** {@code problem}: a call that failed. */
    record State(int version, List<Device> devices, Optional<String> problem) {}

    /** A call that returned an error number. */
    private static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;
        private final int error;

        Failed(String call, int error) {
            super(call + " of the driver: error " + error);
            this.error = error;
        }
    }

    private final SymbolLookup symbols;

    private DriverCalls(SymbolLookup symbols) {
        this.symbols = symbols;
    }

    static State state(SymbolLookup symbols) {
        DriverCalls calls = new DriverCalls(symbols);
        int version = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(LONG);
            calls.call("cuDriverGetVersion", List.of(POINTER), value);
            version = value.get(INT, 0);
            calls.call("cuInit", List.of(INT), 0);
            calls.call("cuDeviceGetCount", List.of(POINTER), value);
            List<Device> devices = new ArrayList<>();
            for (int i = 0, count = value.get(INT, 0); i < count; i++) {
                devices.add(calls.device(i, arena));
            }
            return new State(version, List.copyOf(devices), Optional.empty());
        } catch (Failed e) {
            return new State(
                    version,
                    List.of(),
                    e.error == NO_DEVICE ? Optional.empty() : Optional.of(String.valueOf(e.getMessage())));
        }
    }

    private Device device(int index, Arena arena) throws Failed {
        MemorySegment value = arena.allocate(LONG);
        call("cuDeviceGet", List.of(POINTER, INT), value, index);
        int device = value.get(INT, 0);
        MemorySegment name = arena.allocate(NAME_BYTES);
        call("cuDeviceGetName", List.of(POINTER, INT, INT), name, NAME_BYTES, device);
        call("cuDeviceGetAttribute", List.of(POINTER, INT, INT), value, CAPABILITY_MAJOR, device);
        int major = value.get(INT, 0);
        call("cuDeviceGetAttribute", List.of(POINTER, INT, INT), value, CAPABILITY_MINOR, device);
        int minor = value.get(INT, 0);
        call("cuDeviceTotalMem_v2", List.of(POINTER, INT), value, device);
        return new Device(index, name.getString(0), 10 * major + minor, value.get(LONG, 0));
    }

    @SuppressWarnings("restricted")
    private void call(String name, List<MemoryLayout> parameters, Object... arguments) throws Failed {
        MemorySegment address = symbols.find(name).orElseThrow(() -> new Failed(name + ", which is missing,", -1));
        FunctionDescriptor descriptor = FunctionDescriptor.of(INT, parameters.toArray(MemoryLayout[]::new));
        int error;
        try {
            error = (int)
                    Linker.nativeLinker().downcallHandle(address, descriptor).invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(name, e);
        }
        if (error != 0) {
            throw new Failed(name, error);
        }
    }
}
