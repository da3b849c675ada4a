package io.penstock.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Both kinds of memory: small from the arena, large in huge pages where the system has them. */
final class HostMemoryTest {
    private static final long[] SIZES = {0, 1, 4095, 4096, (4L << 20) - 1, 4L << 20, (5L << 20) + 7};

    @Test
    void shouldBeZeroedAndWritableToItsLastByte() {
        for (long size : SIZES) {
            try (HostMemory memory = new HostMemory(size)) {
                MemorySegment segment = memory.segment();
                assertEquals(size, segment.byteSize());
                for (long at = 0; at < size; at += 1021) {
                    assertEquals(0, segment.get(ValueLayout.JAVA_BYTE, at), "byte " + at + " of " + size);
                }
                segment.fill((byte) 1);
                assertThrows(IndexOutOfBoundsException.class, () -> segment.get(ValueLayout.JAVA_BYTE, size));
            }
        }
    }

    @Test
    void shouldNotBeReadableOnceClosed() {
        HostMemory memory = new HostMemory(8L << 20);
        MemorySegment segment = memory.segment();
        memory.close();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void shouldStartLargeMemoryOnAHugePage() {
        try (Arena arena = Arena.ofConfined()) {
            assertFalse(HugePages.map(1 << 20, arena).isPresent(), "a megabyte has no huge page");
            Optional<MemorySegment> large = HugePages.map(5L << 20, arena);
            if (System.getProperty("os.name", "").equals("Linux")) {
                assertTrue(large.isPresent());
            }
            large.ifPresent(segment -> assertEquals(0, segment.address() % (2L << 20)));
        }
    }
}
