package io.penstock.tensor.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** oneDNN as unpacked and loaded once in this process, or why it is not. {@code -Dpenstock.onednn=false} leaves it out. */
final class OneDnnLibrary {
    /** Null when {@link #PROBLEM} is not. */
    static final @Nullable SymbolLookup DNNL;

    static final @Nullable SymbolLookup GOMP;
    static final @Nullable String PROBLEM;

    private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64/";

    static {
        SymbolLookup gomp = null;
        SymbolLookup dnnl = null;
        String problem = unsupported();
        if (problem == null) {
            try {
                Path folder = NativeFiles.unpack(
                        OneDnnLibrary.class.getClassLoader(), FOLDER, "libgomp.so.1", "libdnnl.so.3");
                // First the OpenMP runtime that the other one names.
                gomp = load(folder.resolve("libgomp.so.1"));
                dnnl = load(folder.resolve("libdnnl.so.3"));
            } catch (IOException | IllegalArgumentException e) {
                problem = "oneDNN did not load: " + e.getMessage();
            }
        }
        GOMP = gomp;
        DNNL = dnnl;
        PROBLEM = problem;
    }

    private OneDnnLibrary() {}

    private static @Nullable String unsupported() {
        if ("false".equals(System.getProperty("penstock.onednn"))) {
            return "oneDNN is switched off";
        }
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String architecture = System.getProperty("os.arch", "");
        if (!system.equals("linux") || !(architecture.equals("amd64") || architecture.equals("x86_64"))) {
            return "no oneDNN for " + system + " " + architecture;
        }
        return null;
    }

    @SuppressWarnings("restricted")
    private static SymbolLookup load(Path file) {
        return SymbolLookup.libraryLookup(file, Arena.global());
    }
}
