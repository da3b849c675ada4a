package io.penstock.engine.bundle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The libraries of the JDK that runs the tests. */
final class LoadedElfTest {
    private static final Path LIBRARIES = Path.of(System.getProperty("java.home"), "lib");

    @SuppressWarnings("restricted")
    @Test
    void shouldKeepWhatTheLoaderNeeds(@TempDir Path folder) throws Throwable {
        byte[] trimmed = LoadedElf.trim(withTail(Files.readAllBytes(LIBRARIES.resolve("libzip.so"))));
        Path library = Files.write(folder.resolve("libtrimmed.so"), trimmed);
        byte[] text = "a library that still computes".getBytes(StandardCharsets.US_ASCII);
        CRC32 expected = new CRC32();
        expected.update(text);
        try (Arena arena = Arena.ofConfined()) {
            int sum = (int) Linker.nativeLinker()
                    .downcallHandle(
                            SymbolLookup.libraryLookup(library, arena)
                                    .find("ZIP_CRC32")
                                    .orElseThrow(),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT))
                    .invokeExact(0, arena.allocateFrom(ValueLayout.JAVA_BYTE, text), text.length);
            assertEquals((int) expected.getValue(), sum);
        }
    }

    @Test
    void shouldDropEverySectionThatIsNotLoaded() throws IOException {
        for (String name : new String[] {"libzip.so", "server/libjvm.so"}) {
            byte[] library = withTail(Files.readAllBytes(LIBRARIES.resolve(name)));
            byte[] trimmed = LoadedElf.trim(library);
            assertTrue(trimmed.length < library.length, name);
            assertEquals(1, notLoaded(trimmed), name + ": the names of sections");
            assertSame(trimmed, LoadedElf.trim(trimmed), name + " twice");
            ByteBuffer before = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN);
            int dynamic = (int) before.getLong(40) + 64; // the first section that is loaded
            int from = (int) before.getLong(dynamic + 24);
            assertArrayEquals(
                    Arrays.copyOfRange(library, 64, from + 4096), Arrays.copyOfRange(trimmed, 64, from + 4096), name);
        }
    }

    @Test
    void shouldLeaveOtherFiles() {
        byte[] script = "#!/bin/sh\n".repeat(20).getBytes(StandardCharsets.US_ASCII);
        assertSame(script, LoadedElf.trim(script));
        byte[] empty = new byte[0];
        assertSame(empty, LoadedElf.trim(empty));
    }

    @Test
    void shouldLeaveAFileThatWasCutOffOrNamesWhatIsNotThere() throws IOException {
        byte[] library = withTail(Files.readAllBytes(LIBRARIES.resolve("libzip.so")));
        for (int bytes : new int[] {1, 63, 64, 65, 4096, library.length / 2, library.length - 1}) {
            byte[] cut = Arrays.copyOf(library, bytes);
            assertSame(cut, LoadedElf.trim(cut), bytes + " bytes");
        }
        for (int field : new int[] {32, 40}) { // tables of programs, of sections
            for (long place : new long[] {-1, library.length - 1, Long.MAX_VALUE}) {
                byte[] wrong = library.clone();
                ByteBuffer.wrap(wrong).order(ByteOrder.LITTLE_ENDIAN).putLong(field, place);
                assertSame(wrong, LoadedElf.trim(wrong), "table " + field + " at " + place);
            }
        }
    }

    /** As a build with debug data has it, whatever the JDK's own was stripped of: 64 KiB before the section headers. */
    private static byte[] withTail(byte[] library) {
        ByteBuffer file = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN);
        int table = (int) file.getLong(40);
        int bytes = file.getShort(60) * 64;
        byte[] result = Arrays.copyOf(library, library.length + (64 << 10));
        System.arraycopy(library, table, result, result.length - bytes, bytes);
        Arrays.fill(result, table, result.length - bytes, (byte) 'x');
        ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN).putLong(40, result.length - bytes);
        return result;
    }

    private static int notLoaded(byte[] library) {
        ByteBuffer file = ByteBuffer.wrap(library).order(ByteOrder.LITTLE_ENDIAN);
        int sections = file.getShort(60);
        assertNotEquals(0, sections);
        int found = 0;
        for (int i = 1; i < sections; i++) {
            found += (file.getLong((int) file.getLong(40) + i * 64 + 8) & 2) == 0 ? 1 : 0;
        }
        return found;
    }
}
