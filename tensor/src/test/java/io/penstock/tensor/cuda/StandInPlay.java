package io.penstock.tensor.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** How the stand-in driver does what it was asked for. */
final class StandInPlay {
    private final MethodHandle play;
    private final MethodHandle waits;

    @SuppressWarnings("restricted")
    StandInPlay(Path folder) {
        SymbolLookup driver = SymbolLookup.libraryLookup(folder.resolve("libcuda.so.1"), Arena.global());
        play = Linker.nativeLinker()
                .downcallHandle(
                        driver.find("standInPlay").orElseThrow(),
                        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        waits = Linker.nativeLinker()
                .downcallHandle(
                        driver.find("standInWaits").orElseThrow(), FunctionDescriptor.of(ValueLayout.JAVA_LONG));
    }

    /** From now on: {@code eager} if streams of copies do their work at once, else as late as they may; {@code lostWait}: the wait for an event that is left out, counted from 1. */
    void begin(boolean eager, long lostWait) throws Throwable {
        play.invokeExact(eager ? 1 : 0, lostWait);
    }

    /** Waits for events since. */
    long waits() throws Throwable {
        return (long) waits.invokeExact();
    }
}
