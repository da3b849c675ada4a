package io.penstock.jmh.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** OpenMPI beside us: compiles {@code jmh/src/peers/mpi_peer.c} and runs it; absent where mpicc or mpirun is. */
record MpiPeer(Path program) {
    private static final int CORES = Runtime.getRuntime().availableProcessors();
    private static final Path SOURCE = Path.of(System.getProperty("penstock.home", ""), "jmh/src/peers/mpi_peer.c");

    static Optional<MpiPeer> compile() throws IOException, InterruptedException {
        if (!Files.exists(SOURCE)) {
            System.out.println(
                    "no OpenMPI column: " + SOURCE.toAbsolutePath() + " is not here, run from the repository");
            return Optional.empty();
        }
        Path program = Files.createTempDirectory("penstock-mpi").resolve("mpi_peer");
        try {
            run(List.of("mpicc", "-O2", "-o", program.toString(), SOURCE.toString()), false);
            return Optional.of(new MpiPeer(program));
        } catch (IOException e) {
            System.out.println("no OpenMPI column (Debian: openmpi-bin libopenmpi-dev): " + e.getMessage());
            return Optional.empty();
        }
    }

    /** The numbers that the program prints for a question, one line. */
    double[] ask(int ranks, String... question) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "mpirun",
                "--allow-run-as-root",
                "--oversubscribe",
                "--bind-to",
                "none",
                "-np",
                Integer.toString(ranks),
                program.toString()));
        command.addAll(List.of(question));
        String[] words = run(command, ranks > CORES).strip().split("\\s+", -1);
        double[] numbers = new double[words.length];
        for (int i = 0; i < words.length; i++) {
            numbers[i] = Double.parseDouble(words[i]);
        }
        return numbers;
    }

    /** As OpenMPI does by itself, ranks yield where there are more of them than cores, and spin where not. */
    private static String run(List<String> command, boolean yield) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .putAll(Map.of("OMPI_MCA_mpi_yield_when_idle", yield ? "1" : "0", "OMPI_MCA_btl", "self,vader"));
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + process.exitValue() + ": " + output);
        }
        return output;
    }
}
