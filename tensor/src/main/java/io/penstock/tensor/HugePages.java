package io.penstock.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Memory that Linux backs with pages of 2 MiB where it can ({@code madvise} of transparent huge pages, which most systems leave to those who ask): one entry of
 * the processor's page table cache then covers 512 times as much. Elsewhere, and with {@code -Dpenstock.huge.pages=false}, there is none.
 */
final class HugePages {
    /** Of a huge page; x86-64 and arm64 with pages of 4 KiB. */
    private static final long SIZE = 2L << 20;

    private static final long SMALL_PAGE = 4096;

    // Of Linux's mman.h, the same on x86-64 and arm64.
    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int ADVICE = 14;
    private static final long FAILED = -1;

    private static final boolean WANTED =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).equals("linux")
                    && !"false".equals(System.getProperty("penstock.huge.pages"));

    /** The three calls of the C library, bound at the first large allocation. */
    private static final class Calls {
        static final MethodHandle MMAP = call(
                "mmap",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        static final MethodHandle MUNMAP = call(
                "munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        static final MethodHandle MADVISE = call(
                "madvise",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

        private Calls() {}

        @SuppressWarnings("restricted")
        private static MethodHandle call(String name, FunctionDescriptor descriptor) {
            SymbolLookup symbols = Linker.nativeLinker().defaultLookup();
            return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor);
        }
    }

    private HugePages() {}

    /** Zeroed memory of at least two huge pages, released with the arena, every page of it touched; empty where it does not apply or the system refuses. */
    static Optional<MemorySegment> map(long bytes, Arena arena) {
        if (!WANTED || bytes < 2 * SIZE) {
            return Optional.empty();
        }
        long mapped = Math.addExact(bytes, SIZE);
        try {
            long start = (long) Calls.MMAP.invokeExact(0L, mapped, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (start == FAILED) {
                return Optional.empty();
            }
            long aligned = (start + SIZE - 1) / SIZE * SIZE;
            // whole huge pages only: the rest stays in small ones, so that no more is resident than was asked for
            int unused = (int) Calls.MADVISE.invokeExact(aligned, bytes / SIZE * SIZE, ADVICE);
            return Optional.of(segment(start, mapped, aligned, bytes, arena));
        } catch (Throwable e) {
            throw new IllegalStateException("mapping " + bytes + " bytes failed", e);
        }
    }

    @SuppressWarnings("restricted")
    private static MemorySegment segment(long start, long mapped, long aligned, long bytes, Arena arena) {
        MemorySegment segment =
                MemorySegment.ofAddress(aligned).reinterpret(bytes, arena, ignored -> unmap(start, mapped));
        for (long at = 0; at < bytes; at += SMALL_PAGE) {
            segment.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
        }
        return segment;
    }

    private static void unmap(long start, long bytes) {
        try {
            int unused = (int) Calls.MUNMAP.invokeExact(start, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException("unmapping " + bytes + " bytes failed", e);
        }
    }
}
