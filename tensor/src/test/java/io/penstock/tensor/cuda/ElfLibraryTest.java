package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A library that needs libanswer.so.12, on a machine that has libanswer.so.13 alone. */
final class ElfLibraryTest {
    private static final String OLD = "libanswer.so.12";
    private static final String NEW = "libanswer.so.13";

    @SuppressWarnings("restricted")
    @Test
    void shouldMakeALibraryNeedAnother(@TempDir Path folder) throws Throwable {
        Path asker = compileAsker(folder);
        try (Arena arena = Arena.ofConfined()) {
            assertThrows(IllegalArgumentException.class, () -> SymbolLookup.libraryLookup(asker, arena));
        }
        ElfLibrary elf = new ElfLibrary(Files.readAllBytes(asker));
        // DT_NEEDED, the file of Verneed, and its one version (name and hash)
        assertEquals(3, elf.replaceNeeded(OLD, NEW));
        Path edited = Files.write(folder.resolve("libedited.so"), elf.bytes());
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(folder.resolve(NEW), arena);
            SymbolLookup library = SymbolLookup.libraryLookup(edited, arena);
            int answer = (int) Linker.nativeLinker()
                    .downcallHandle(library.find("ask").orElseThrow(), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                    .invokeExact();
            assertEquals(13, answer);
        }
    }

    @Test
    void shouldLeaveALibraryThatDoesNotNeedIt(@TempDir Path folder) throws Exception {
        Path asker = compileAsker(folder);
        byte[] bytes = Files.readAllBytes(asker);
        ElfLibrary elf = new ElfLibrary(bytes.clone());
        assertEquals(0, elf.replaceNeeded("libother1.so.12", "libother1.so.13"));
        assertArrayEquals(bytes, elf.bytes());
    }

    @Test
    void shouldHashAsTheAbiDoes() {
        // from readelf -V of a library with these versions
        assertEquals(0x09691a75, ElfLibrary.hash("GLIBC_2.2.5"));
        assertEquals(0x069691b4, ElfLibrary.hash("GLIBC_2.34"));
    }

    @Test
    void shouldRefuseWhatIsNoLibrary() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ElfLibrary("#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII)));
        assertThrows(IllegalArgumentException.class, () -> new ElfLibrary(new byte[64]));
    }

    @Test
    void shouldFindWhatItChangesInJCublas() throws IOException {
        try (InputStream in = ElfLibraryTest.class.getResourceAsStream("/lib/" + CudaLibraries.library("JCublas2"))) {
            byte[] library = in.readAllBytes();
            byte[] edited = CudaLibraries.forCuda13(library.clone());
            int changed = 0;
            for (int i = 0; i < library.length; i++) {
                changed += library[i] == edited[i] ? 0 : 1;
            }
            // one digit of the shared name, and the hash that it changes by one
            assertTrue(changed >= 2 && changed <= 8, changed + " bytes changed");
            assertThrows(IllegalStateException.class, () -> CudaLibraries.forCuda13(edited));
        }
    }

    private static Path compileAsker(Path folder) throws IOException, InterruptedException {
        Path compiler = StandIns.compiler();
        Path old = Files.writeString(folder.resolve("old.cpp"), "extern \"C\" int answer() { return 12; }");
        Path other = Files.writeString(folder.resolve("new.cpp"), "extern \"C\" int answer() { return 13; }");
        Path ask = Files.writeString(
                folder.resolve("ask.cpp"), "extern \"C\" int answer(); extern \"C\" int ask() { return answer(); }");
        Path linked = StandIns.compile(compiler, old, folder, OLD, OLD + " { global: answer; };");
        Path asker = StandIns.compile(compiler, ask, folder, "libask.so", "", "-Wl,--no-as-needed", linked.toString());
        Files.delete(linked);
        StandIns.compile(compiler, other, folder, NEW, NEW + " { global: answer; };");
        return asker;
    }
}
