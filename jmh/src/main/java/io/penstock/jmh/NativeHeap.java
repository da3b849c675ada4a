package io.penstock.jmh;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;

/** What the process has from {@code malloc}: Java's memory segments, oneDNN, libtorch and the JVM itself. Known where the C library is glibc 2.33 or newer. */
public final class NativeHeap {
    /** Of mallinfo2's ten numbers. */
    private static final MemoryLayout INFO = MemoryLayout.sequenceLayout(10, ValueLayout.JAVA_LONG);

    private static final MemoryLayout STRUCT = MemoryLayout.structLayout(INFO);

    /** Bytes of large blocks, mapped one by one. */
    private static final int MAPPED = 4;

    /** Bytes in use of all others. */
    private static final int IN_USE = 7;

    private NativeHeap() {}

    @SuppressWarnings("restricted")
    public static OptionalLong bytesInUse() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup symbols = linker.defaultLookup();
        return symbols.find("mallinfo2")
                .map(symbol -> OptionalLong.of(call(linker.downcallHandle(symbol, FunctionDescriptor.of(STRUCT)))))
                .orElse(OptionalLong.empty());
    }

    private static long call(MethodHandle mallinfo2) {
        try (Arena arena = Arena.ofConfined()) {
            var info = (MemorySegment) mallinfo2.invokeExact((SegmentAllocator) arena);
            return info.getAtIndex(ValueLayout.JAVA_LONG, MAPPED) + info.getAtIndex(ValueLayout.JAVA_LONG, IN_USE);
        } catch (Throwable e) {
            throw new IllegalStateException("mallinfo2 failed", e);
        }
    }
}
