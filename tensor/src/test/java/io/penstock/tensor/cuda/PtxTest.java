package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committed PTX is what its sources make, and assembles for the cards we name. Neither needs a GPU. */
final class PtxTest {
    private static final Pattern KERNEL = Pattern.compile("^KERNEL\\((\\w+),", Pattern.MULTILINE);
    private static final Pattern ENTRY = Pattern.compile("\\.visible \\.entry (\\w+)\\(");

    @Test
    void shouldBeWhatTheSourcesMake(@TempDir Path folder) throws IOException, InterruptedException {
        var nvcc = Tools.find("nvcc", "/usr/local/cuda/bin");
        Assumptions.assumeTrue(nvcc.isPresent(), "no nvcc to rebuild the PTX with");
        Process version = Tools.start(List.of(nvcc.orElseThrow().toString(), "--version"));
        String versionText = new String(version.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String committedVersion = line(ptx(Tools.kernels().getFirst()), "// Cuda compilation tools");
        Assumptions.assumeTrue(
                versionText.contains(committedVersion.substring(3)),
                "the PTX was made by another nvcc: " + committedVersion);

        Tools.run(List.of(
                "env",
                "NVCC=" + nvcc.orElseThrow(),
                Tools.sources().resolve("../../../../scripts/compile-kernels").toString(),
                folder.toString()));
        for (Path kernel : Tools.kernels()) {
            Path rebuilt = folder.resolve(ptxName(kernel));
            assertEquals(
                    -1,
                    Files.mismatch(rebuilt, Tools.sources().resolve(ptxName(kernel))),
                    ptxName(kernel) + " is not what " + kernel.getFileName()
                            + " makes: run scripts/compile-kernels and commit; first byte that differs");
        }
    }

    @Test
    void shouldHaveEveryKernelOfTheSources() throws IOException {
        for (Path kernel : Tools.kernels()) {
            assertEquals(names(KERNEL, Files.readString(kernel)), names(ENTRY, ptx(kernel)), kernel.toString());
        }
    }

    @Test
    void shouldSpeakTheOldestLanguageWeSupport() throws IOException {
        for (Path kernel : Tools.kernels()) {
            assertEquals(".version 8.0", line(ptx(kernel), ".version"));
            assertEquals(".target sm_80", line(ptx(kernel), ".target"));
        }
    }

    @Test
    void shouldAssembleForAmpereAndHopperWithoutSpilling() throws IOException {
        for (String card : List.of("sm_80", "sm_90")) {
            for (Path kernel : Tools.kernels()) {
                String log = assemble(ptx(kernel), card);
                // Registers that do not fit go to memory: a few words where it is known.
                for (String line : log.lines()
                        .filter(text -> text.contains("bytes spill stores"))
                        .toList()) {
                    int spilled = Integer.parseInt(line.replaceAll(".* (\\d+) bytes spill stores.*", "$1"));
                    assertTrue(spilled <= 32, card + " " + kernel.getFileName() + ": " + line.strip());
                }
                assertFalse(log.isEmpty(), "no report of " + kernel);
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNoPtx() {
        IllegalStateException error = assertThrows(
                IllegalStateException.class, () -> assemble(".version 8.0\n.target sm_80\nnonsense", "sm_80"));
        assertTrue(String.valueOf(error.getMessage()).contains("sm_80"), error.getMessage());
    }

    private static String assemble(String ptx, String card) {
        JNvPTXCompiler.setExceptionsEnabled(false);
        nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
        byte[] text = (ptx + "\0").getBytes(StandardCharsets.US_ASCII);
        check(JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text), card, "");
        try {
            int result =
                    JNvPTXCompiler.nvPTXCompilerCompile(compiler, 2, new String[] {"--gpu-name=" + card, "--verbose"});
            long[] bytes = new long[1];
            if (result != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
                JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, bytes);
                byte[] errors = new byte[Math.toIntExact(bytes[0]) + 1];
                JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, errors);
                check(result, card, new String(errors, StandardCharsets.US_ASCII));
            }
            JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, bytes);
            byte[] log = new byte[Math.toIntExact(bytes[0]) + 1];
            JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
            return new String(log, StandardCharsets.US_ASCII);
        } finally {
            JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
        }
    }

    private static void check(int result, String card, String log) {
        if (result != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
            throw new IllegalStateException("for " + card + ": " + nvPTXCompileResult.stringFor(result) + "\n" + log);
        }
    }

    private static Set<String> names(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String line(String text, String start) {
        Matcher matcher = Pattern.compile("^" + Pattern.quote(start) + ".*$", Pattern.MULTILINE)
                .matcher(text);
        assertTrue(matcher.find(), "no line beginning with " + start);
        return matcher.group();
    }

    private static String ptx(Path kernel) throws IOException {
        return Files.readString(Tools.sources().resolve(ptxName(kernel)));
    }

    private static String ptxName(Path kernel) {
        return kernel.getFileName().toString().replace(".cu", ".ptx");
    }
}
