package io.penstock.transport;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Copies between this process and another of the same machine by the kernel, with one copy and no memory in common: cross-memory attach,
 * process_vm_readv(2). Who may do it is the kernel's decision (same user, no barrier of Yama or seccomp). Of one thread at a time; nothing
 * is allocated.
 */
final class CrossMemory {
    /** What {@link #read} and {@link #write} return where there is no such process (any more), ESRCH. */
    static final long NO_PROCESS = -3;

    private static final long IOVEC_BYTES = 16;
    private static final long REMOTE = 2 * IOVEC_BYTES;
    private static final int SET_PTRACER = 0x59616d61;
    private static final Path YAMA = Path.of("/proc/sys/kernel/yama/ptrace_scope");

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(StructLayout.PathElement.groupElement("errno"));
    private static final Linker.Option WITH_ERROR = Linker.Option.captureCallState("errno");
    private static final @Nullable MethodHandle READ = copier("process_vm_readv");
    private static final @Nullable MethodHandle WRITE = copier("process_vm_writev");
    /** The same with the number of the error, which costs 40 bytes of heap a call as long as that is not compiled. */
    private static final @Nullable MethodHandle READ_AGAIN = copier("process_vm_readv", WITH_ERROR);

    private static final @Nullable MethodHandle WRITE_AGAIN = copier("process_vm_writev", WITH_ERROR);

    private final MemorySegment state;
    /** Two pieces here, then two pieces there: each an address and a length. */
    private final MemorySegment pieces;

    private final long address;
    private final MemorySegment scratch;

    CrossMemory() {
        Arena arena = Arena.ofAuto();
        state = arena.allocate(STATE);
        pieces = arena.allocate(4 * IOVEC_BYTES, 8);
        address = pieces.address();
        scratch = arena.allocate(2);
    }

    /** Whether this system has the calls; that the kernel permits them, only a try can tell. */
    static boolean isAvailable() {
        return READ != null && WRITE != null;
    }

    @SuppressWarnings("restricted")
    private static @Nullable MethodHandle copier(String name, Linker.Option... options) {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return null;
        }
        FunctionDescriptor signature = FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG);
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(symbol -> linker.downcallHandle(symbol, signature, options))
                .orElse(null);
    }

    /**
     * Lets the other processes of this user copy from and to this one where Yama keeps that to parents (its scope 1). They could do so
     * anyway on a system without Yama.
     */
    @SuppressWarnings("restricted")
    static void permit() {
        try {
            if (!Files.exists(YAMA) || !Files.readString(YAMA).trim().equals("1")) {
                return;
            }
        } catch (IOException e) {
            return; // then the peer's try decides
        }
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor signature = FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG);
        linker.defaultLookup().find("prctl").ifPresent(symbol -> {
            MethodHandle prctl = linker.downcallHandle(symbol, signature, Linker.Option.firstVariadicArg(1));
            try {
                int ignored = (int) prctl.invokeExact(SET_PTRACER, -1L, 0L, 0L, 0L);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("prctl", e);
            }
        });
    }

    /** Copies bytes from an address of a process to one of this; returns 0, or the negative error number of the kernel. */
    long read(long pid, long from, long to, long bytes) {
        for (long done = 0; done < bytes; ) {
            piece(0, to + done, bytes - done);
            piece(REMOTE, from + done, bytes - done);
            long copied = readPieces(pid, 1, 1);
            if (copied <= 0) {
                return copied;
            }
            done += copied;
        }
        return 0;
    }

    /**
     * Copies bytes from an address of this process to one of another, and after them, in the same call of the kernel, eight bytes as a
     * receipt. So a thread that was stopped before it could say that it has written leaves it written that it has. Returns as
     * {@link #read}.
     */
    long write(long pid, long from, long to, long bytes, long receiptFrom, long receiptTo) {
        for (long done = 0; done < bytes; ) {
            piece(0, from + done, bytes - done);
            piece(IOVEC_BYTES, receiptFrom, Long.BYTES);
            piece(REMOTE, to + done, bytes - done);
            piece(REMOTE + IOVEC_BYTES, receiptTo, Long.BYTES);
            long copied = writePieces(pid, 2, 2);
            if (copied <= 0) {
                return copied;
            }
            done += copied;
        }
        return 0;
    }

    /** Whether the kernel copies from this memory of a process, here this one, by its first and last byte: not from that of some devices. */
    boolean reaches(long pid, long address, long bytes) {
        piece(0, scratch.address(), 2);
        piece(REMOTE, address, 1);
        piece(REMOTE + IOVEC_BYTES, address + bytes - 1, 1);
        return readPieces(pid, 1, 2) == 2;
    }

    private void piece(long at, long address, long bytes) {
        pieces.set(ValueLayout.JAVA_LONG, at, address);
        pieces.set(ValueLayout.JAVA_LONG, at + 8, bytes);
    }

    /** So many pieces here and there; what failed is done once more, to hear why. */
    private long readPieces(long pid, long here, long there) {
        MethodHandle read = READ;
        MethodHandle again = READ_AGAIN;
        if (read == null || again == null) {
            throw unavailable();
        }
        try {
            long copied = (long) read.invokeExact((int) pid, address, here, address + REMOTE, there, 0L);
            return copied >= 0
                    ? copied
                    : orError((long) again.invokeExact(state, (int) pid, address, here, address + REMOTE, there, 0L));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private long writePieces(long pid, long here, long there) {
        MethodHandle write = WRITE;
        MethodHandle again = WRITE_AGAIN;
        if (write == null || again == null) {
            throw unavailable();
        }
        try {
            long copied = (long) write.invokeExact((int) pid, address, here, address + REMOTE, there, 0L);
            return copied >= 0
                    ? copied
                    : orError((long) again.invokeExact(state, (int) pid, address, here, address + REMOTE, there, 0L));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private long orError(long copied) {
        return copied < 0 ? -(int) ERRNO.get(state, 0L) : copied;
    }

    private static IllegalStateException unavailable() {
        return new IllegalStateException("no cross-memory attach on " + System.getProperty("os.name"));
    }

    private static RuntimeException failed(Throwable e) {
        return e instanceof RuntimeException known ? known : new IllegalStateException("cross-memory attach", e);
    }
}
