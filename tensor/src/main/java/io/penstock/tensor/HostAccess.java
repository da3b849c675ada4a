package io.penstock.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A backend's tensors for code that reads and writes elements on the host, as files and initialisation do. Where the host addresses them that is the tensor itself, without a copy;
 * else pieces of it that travel. Not for what a step does.
 */
public final class HostAccess {
    private static final long PIECE_BYTES = 4 << 20;

    /** Meets the elements of a tensor in order: {@code piece}, host memory, is those from {@code first} on. */
    @FunctionalInterface
    public interface Visitor {
        void accept(long first, Tensor piece);
    }

    private final Optional<DeviceCopies> copies;

    private HostAccess(Optional<DeviceCopies> copies) {
        this.copies = copies;
    }

    public static HostAccess of(Backend backend) {
        return new HostAccess(backend.copies());
    }

    /** {@code reader} sees all elements of a contiguous tensor. */
    public void read(Tensor tensor, Visitor reader) {
        if (copies.isEmpty()) {
            reader.accept(0, tensor);
            return;
        }
        DeviceCopies device = copies.get();
        forEachPiece(tensor, (first, piece) -> {
            device.download(piece.segment(), part(tensor, first, piece));
            reader.accept(first, piece);
        });
    }

    /** {@code writer} overwrites all elements of a contiguous tensor. */
    public void write(Tensor tensor, Visitor writer) {
        if (copies.isEmpty()) {
            writer.accept(0, tensor);
            return;
        }
        DeviceCopies device = copies.get();
        forEachPiece(tensor, (first, piece) -> {
            writer.accept(first, piece);
            device.upload(part(tensor, first, piece), piece.segment());
        });
    }

    private static void forEachPiece(Tensor tensor, Visitor visitor) {
        Checks.contiguous("a tensor that the host reads or writes", tensor);
        long most = PIECE_BYTES / tensor.dtype().bytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Math.min(PIECE_BYTES, tensor.bytes()), TensorTable.ALIGNMENT);
            for (long first = 0; first < tensor.elements(); first += most) {
                long count = Math.min(most, tensor.elements() - first);
                MemorySegment part = memory.asSlice(0, count * tensor.dtype().bytes());
                visitor.accept(first, Tensor.of(part, tensor.dtype(), Shape.of(count)));
            }
        }
    }

    private static MemorySegment part(Tensor tensor, long first, Tensor piece) {
        return tensor.segment().asSlice(first * tensor.dtype().bytes(), piece.bytes());
    }
}
