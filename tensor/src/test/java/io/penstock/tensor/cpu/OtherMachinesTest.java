package io.penstock.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.tensor.DType;
import io.penstock.tensor.contract.BackendContract;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The contract on machines that this one can pretend to be, each in a JVM of its own: narrower vectors, an older instruction set, no oneDNN. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
final class OtherMachinesTest {
    /** Those that start JVMs or run for long. */
    private static final Set<String> LEFT_OUT =
            Set.of("shouldGiveTheSameBitsWarmedUp", "shouldGiveTheSameBitsInterpreted");

    @Test
    void shouldKeepTheContractWithoutOneDnnOnVectorsOf128Bits() throws IOException, InterruptedException {
        String output = run(Map.of(), "-Dpenstock.onednn=false", "-Dpenstock.vector.bits=128");
        assertTrue(output.contains("Vector API products of 128 bits: oneDNN is switched off"), output);
    }

    @Test
    void shouldKeepTheContractOnAvx2() throws IOException, InterruptedException {
        String output = run(Map.of("ONEDNN_MAX_CPU_ISA", "AVX2"), "-Dpenstock.vector.bits=256");
        if (CpuFeatures.detect().oneDnn()) {
            assertTrue(output.contains("avx2, BF16 products in F32, vectors of 256 bits"), output);
        }
    }

    /** Emulated products are several times slower than F32's. */
    @Test
    void shouldMultiplyBf16InF32OnAvx512WithoutBf16() throws IOException, InterruptedException {
        CpuFeatures here = CpuFeatures.detect();
        assumeTrue(here.products().contains("avx512"), "no AVX-512 to limit: " + here.products());
        String output = run(Map.of("ONEDNN_MAX_CPU_ISA", "AVX512_CORE"), "-Dpenstock.describe=true");
        assertTrue(output.contains("avx512_core, BF16 products in F32"), output);
    }

    static String run(Map<String, String> environment, String... flags) throws IOException, InterruptedException {
        return run(0, environment, flags);
    }

    /** What {@link #main} prints in a JVM of these flags besides this one's, which ends with {@code exit}. */
    static String run(int exit, Map<String, String> environment, String... flags)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of(flags));
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(OtherMachinesTest.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(exit, process.waitFor(), output);
        return output;
    }

    /** Has the vector loops compiled, runs the tests of the contract and prints what it ran on. */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        int slowLoops = WarmUp.await(EnumSet.of(DType.F32, DType.BF16, DType.F16));
        if (slowLoops > 0) {
            throw new IllegalStateException(slowLoops + " loops still make objects after the warm-up");
        }
        if (Boolean.getBoolean("penstock.describe")) {
            System.out.println(CpuFeatures.detect().products());
            return;
        }
        CpuBackendTest contract = new CpuBackendTest();
        invoke(contract, BackendContract.class.getDeclaredMethod("open"));
        int count = 0;
        for (Method method : BackendContract.class.getDeclaredMethods()) {
            if (method.isAnnotationPresent(Test.class) && !LEFT_OUT.contains(method.getName())) {
                invoke(contract, method);
                count++;
            }
        }
        try (CpuBackend backend = new CpuBackend(2)) {
            System.out.println(count + " tests on " + backend.description());
        }
        invoke(contract, BackendContract.class.getDeclaredMethod("close"));
        if (count < 10) {
            throw new IllegalStateException("found " + count + " tests of the contract");
        }
    }

    private static void invoke(CpuBackendTest contract, Method method) throws ReflectiveOperationException {
        method.setAccessible(true);
        method.invoke(contract);
    }
}
