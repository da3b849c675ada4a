package io.penstock.tensor.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.contract.OperationCase.Operand;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs small cases in a JVM that never compiles and prints a checksum of each: compiled code must leave the same bits. */
final class SameBits {
    private static final long SMALL_BYTES = 20_000;
    private static final int CASES_OF_A_TYPE = 2;
    private static final int PROCESSES = 2;
    private static final String MARK = "checksum\t";

    private SameBits() {}

    /** The largest few of the small cases of every operation in every type. */
    static List<OperationCase> cases() {
        Map<String, List<OperationCase>> byOperationAndType = new LinkedHashMap<>();
        for (OperationCase operation : BackendContract.allCases()) {
            if (operation.bytes() <= SMALL_BYTES) {
                byOperationAndType
                        .computeIfAbsent(operation.operation() + " " + types(operation), key -> new ArrayList<>())
                        .add(operation);
            }
        }
        List<OperationCase> chosen = new ArrayList<>();
        for (List<OperationCase> cases : byOperationAndType.values()) {
            cases.sort((a, b) -> Long.compare(b.bytes(), a.bytes()));
            chosen.addAll(cases.subList(0, Math.min(CASES_OF_A_TYPE, cases.size())));
        }
        return chosen;
    }

    private static List<DType> types(OperationCase operation) {
        return operation.operands().stream().map(Operand::dtype).distinct().toList();
    }

    /** Checksums by case name, from JVMs with this one's flags and -Xint, one for each processor that is likely to be here. */
    static Map<String, String> inAnInterpreter(Class<? extends BackendContract> contract)
            throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (int part = 0; part < PROCESSES; part++) {
            processes.add(start(contract, part));
        }
        Map<String, String> checksums = new HashMap<>();
        for (Process process : processes) {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), output);
            for (String line : output.lines().toList()) {
                if (line.startsWith(MARK)) {
                    String[] fields = line.split("\t", -1);
                    checksums.put(fields[1], fields[2]);
                }
            }
        }
        return checksums;
    }

    private static Process start(Class<? extends BackendContract> contract, int part) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-Xint");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(SameBits.class.getName());
        command.add(contract.getName());
        command.add(Integer.toString(part));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** {@code arguments}: the class of a backend's contract test, and which of {@link #PROCESSES} parts of the cases. */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        Constructor<?> constructor = Class.forName(arguments[0]).getDeclaredConstructor();
        constructor.setAccessible(true);
        BackendContract contract = (BackendContract) constructor.newInstance();
        try (Backend backend = contract.createBackend()) {
            List<OperationCase> cases = cases();
            for (int i = Integer.parseInt(arguments[1]); i < cases.size(); i += PROCESSES) {
                System.out.println(MARK + cases.get(i) + "\t" + contract.checksum(backend, cases.get(i)));
            }
        }
    }
}
