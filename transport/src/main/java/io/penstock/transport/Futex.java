package io.penstock.transport;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Linux futexes on shared memory: a thread sleeps on a word until another process changes it. See futex(2). */
final class Futex {
    private static final int WAIT = 0;
    private static final int WAKE = 1;
    private static final @Nullable MethodHandle SYSCALL = syscall();
    private static final long NUMBER = number();

    private Futex() {}

    /** Whether this machine has futexes that we know how to call. */
    static boolean isAvailable() {
        return SYSCALL != null && NUMBER > 0;
    }

    private static long number() {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return -1;
        }
        return switch (System.getProperty("os.arch", "").toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> 202;
            case "aarch64", "riscv64" -> 98;
            default -> -1;
        };
    }

    @SuppressWarnings("restricted")
    private static @Nullable MethodHandle syscall() {
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor signature = FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS);
        return linker.defaultLookup()
                .find("syscall")
                .map(symbol -> linker.downcallHandle(symbol, signature, Linker.Option.firstVariadicArg(1)))
                .orElse(null);
    }

    /** Sleeps while the word has the expected value, at most for the time that the timespec (two longs) holds. */
    static void await(MemorySegment word, int expected, MemorySegment timespec) {
        call(word, WAIT, expected, timespec);
    }

    /** Wakes one thread that sleeps on the word. */
    static void wake(MemorySegment word) {
        call(word, WAKE, 1, MemorySegment.NULL);
    }

    private static void call(MemorySegment word, long operation, long value, MemorySegment timespec) {
        MethodHandle syscall = SYSCALL;
        if (syscall == null) {
            throw new IllegalStateException("no futexes on " + System.getProperty("os.name"));
        }
        try {
            // Its errors (the word differs, time is up, a signal came) all mean: look again.
            long ignored = (long) syscall.invokeExact(NUMBER, word, operation, value, timespec);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("futex", e);
        }
    }
}
