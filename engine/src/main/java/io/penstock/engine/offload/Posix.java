package io.penstock.engine.offload;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** The calls of Linux that mapped stores need and the JDK does not offer; numbers are those of its headers, the same on x86-64, AArch64 and RISC-V. */
final class Posix {
    static final int ENOSPC = 28;
    static final int EFBIG = 27;
    static final int EDQUOT = 122;

    /** See madvise(2). */
    static final int MADV_WILLNEED = 3;

    static final int MADV_DONTNEED = 4;

    /** Since Linux 5.14. */
    static final int MADV_POPULATE_WRITE = 23;

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;

    /** See sync_file_range(2): begins to write, waits for nothing. */
    private static final int SYNC_FILE_RANGE_WRITE = 2;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final Optional<MethodHandle> OPEN =
            find("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT), Linker.Option.firstVariadicArg(2));
    private static final Optional<MethodHandle> CLOSE = find("close", FunctionDescriptor.of(INT, INT));
    private static final Optional<MethodHandle> FALLOCATE =
            find("posix_fallocate", FunctionDescriptor.of(INT, INT, LONG, LONG));
    private static final Optional<MethodHandle> SYNC_FILE_RANGE =
            find("sync_file_range", FunctionDescriptor.of(INT, INT, LONG, LONG, INT));
    private static final Optional<MethodHandle> MADVISE = find("madvise", FunctionDescriptor.of(INT, LONG, LONG, INT));

    private Posix() {}

    @SuppressWarnings("restricted")
    private static Optional<MethodHandle> find(String name, FunctionDescriptor signature, Linker.Option... options) {
        return LINKER.defaultLookup().find(name).map(symbol -> LINKER.downcallHandle(symbol, signature, options));
    }

    /** A descriptor of an existing file to read and write; -1 where there is none to be had. */
    static int open(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(file.toString());
            return OPEN.isEmpty() ? -1 : (int) OPEN.get().invokeExact(name, O_RDWR | O_CLOEXEC);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    static void close(int descriptor) {
        try {
            int ignored = CLOSE.isEmpty() ? -1 : (int) CLOSE.get().invokeExact(descriptor);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Gives the file {@code bytes} bytes of its file system; 0, or the error's number. */
    static int fallocate(int descriptor, long bytes) {
        try {
            return FALLOCATE.isEmpty() ? -1 : (int) FALLOCATE.get().invokeExact(descriptor, 0L, bytes);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Only a hint: its failure changes nothing but time. */
    static void startWriting(int descriptor, long offset, long bytes) {
        try {
            int ignored = SYNC_FILE_RANGE.isEmpty()
                    ? -1
                    : (int) SYNC_FILE_RANGE.get().invokeExact(descriptor, offset, bytes, SYNC_FILE_RANGE_WRITE);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Only a hint: its failure changes nothing but time and resident memory. {@code address} is a page's. */
    static void advise(long address, long bytes, int advice) {
        try {
            int ignored = MADVISE.isEmpty() ? -1 : (int) MADVISE.get().invokeExact(address, bytes, advice);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static RuntimeException failed(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException runtime ? runtime : new IllegalStateException("a call of the system", e);
    }
}
