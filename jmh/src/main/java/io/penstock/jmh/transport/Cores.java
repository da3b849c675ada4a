package io.penstock.jmh.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Linux: keeps this process on one core, and counts how often its threads went to sleep. */
final class Cores {
    private static final Path THREADS = Path.of("/proc/self/task");
    private static final long MASK_BYTES = 128;
    private static final long RUSAGE_BYTES = 144;
    private static final long VOLUNTARY_SWITCHES_OFFSET = 128;

    private Cores() {}

    /**
     * Moves all threads of this process, and those that they will start, to one core, as {@code taskset -a} does.
     *
     * @throws IOException if this is no Linux, or there is no such core, or it is not this process's to use
     */
    static void pin(int core) throws IOException {
        MethodHandle setAffinity = find(
                "sched_setaffinity",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        List<Integer> threads;
        try (Stream<Path> all = Files.list(THREADS)) {
            threads = all.map(thread -> Integer.valueOf(thread.getFileName().toString()))
                    .toList();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MASK_BYTES, 8);
            mask.set(ValueLayout.JAVA_BYTE, core / Byte.SIZE, (byte) (1 << core % Byte.SIZE));
            for (int thread : threads) {
                boolean moved = (int) setAffinity.invokeExact(thread, MASK_BYTES, mask) == 0;
                if (!moved && Files.exists(THREADS.resolve("" + thread))) {
                    throw new IOException("cannot keep thread " + thread + " on core " + core);
                }
            }
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("sched_setaffinity", e);
        }
    }

    /** Times that a thread of this process gave up its core because it had to wait; a mere yield does not count. */
    static long sleeps() throws IOException {
        MethodHandle usage = find(
                "getrusage", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = arena.allocate(RUSAGE_BYTES, 8);
            int ignored = (int) usage.invokeExact(0, found);
            return found.get(ValueLayout.JAVA_LONG, VOLUNTARY_SWITCHES_OFFSET);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("getrusage", e);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle find(String name, FunctionDescriptor signature) throws IOException {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(symbol -> linker.downcallHandle(symbol, signature))
                .orElseThrow(() -> new IOException("no " + name + " on " + System.getProperty("os.name")));
    }
}
