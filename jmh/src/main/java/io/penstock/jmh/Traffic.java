package io.penstock.jmh;

import io.penstock.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The memory traffic of an operation without its arithmetic: streams of tensors that are read, that are read and written in place, and that are written, each cut into the
 * same number of pieces; for each piece all streams are passed over, as a kernel does that works on rows. The sum of what is read is kept, so that nothing is left out.
 */
record Traffic(List<Tensor> read, List<Tensor> updated, List<Tensor> written) {
    private static final VectorSpecies<Integer> SPECIES = IntVector.SPECIES_PREFERRED;
    private static final long STEP = SPECIES.vectorByteSize();

    /** Of the longest stream in a piece: all streams of a piece stay in the first cache. */
    private static final long PIECE_BYTES = 4096;

    long bytes() {
        return bytes(read) + 2 * bytes(updated) + bytes(written);
    }

    private static long bytes(List<Tensor> streams) {
        return streams.stream().mapToLong(Tensor::bytes).sum();
    }

    long pieces() {
        long longest = 0;
        for (List<Tensor> streams : List.of(read, updated, written)) {
            for (Tensor stream : streams) {
                longest = Math.max(longest, stream.bytes());
            }
        }
        return Math.ceilDiv(longest, PIECE_BYTES);
    }

    /** Passes over pieces from {@code first} to before {@code end} of all {@code pieces}. */
    int move(long first, long end, long pieces) {
        int sum = 0;
        for (long piece = first; piece < end; piece++) {
            for (int i = 0; i < read.size(); i++) {
                MemorySegment x = read.get(i).segment();
                sum += read(x, at(x, piece, pieces), at(x, piece + 1, pieces));
            }
            for (int i = 0; i < updated.size(); i++) {
                MemorySegment x = updated.get(i).segment();
                update(x, at(x, piece, pieces), at(x, piece + 1, pieces));
            }
            for (int i = 0; i < written.size(); i++) {
                MemorySegment x = written.get(i).segment();
                write(x, at(x, piece, pieces), at(x, piece + 1, pieces), sum);
            }
        }
        return sum;
    }

    private static long at(MemorySegment x, long piece, long pieces) {
        return x.byteSize() * piece / pieces / STEP * STEP;
    }

    private static int read(MemorySegment x, long from, long end) {
        IntVector sum0 = IntVector.zero(SPECIES);
        IntVector sum1 = sum0;
        long at = from;
        for (; at < end - STEP; at += 2 * STEP) {
            sum0 = sum0.add(IntVector.fromMemorySegment(SPECIES, x, at, ByteOrder.nativeOrder()));
            sum1 = sum1.add(IntVector.fromMemorySegment(SPECIES, x, at + STEP, ByteOrder.nativeOrder()));
        }
        for (; at < end; at += STEP) {
            sum0 = sum0.add(IntVector.fromMemorySegment(SPECIES, x, at, ByteOrder.nativeOrder()));
        }
        return sum0.add(sum1).lane(0);
    }

    private static void update(MemorySegment x, long from, long end) {
        for (long at = from; at < end; at += STEP) {
            IntVector.fromMemorySegment(SPECIES, x, at, ByteOrder.nativeOrder())
                    .add(1)
                    .intoMemorySegment(x, at, ByteOrder.nativeOrder());
        }
    }

    private static void write(MemorySegment x, long from, long end, int value) {
        IntVector values = IntVector.broadcast(SPECIES, value);
        for (long at = from; at < end; at += STEP) {
            values.intoMemorySegment(x, at, ByteOrder.nativeOrder());
        }
    }
}
