package io.penstock.engine.launch;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which rank this process is, from its environment: RANK and WORLD_SIZE, or the forms of Slurm, Open MPI, PMI and Kubernetes' indexed jobs.
 *
 * @param masterAddress host of rank 0
 */
record Environment(int rank, int worldSize, String masterAddress, int masterPort) {
    private static final List<String> RANKS =
            List.of("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "JOB_COMPLETION_INDEX");
    private static final List<String> SIZES = List.of("WORLD_SIZE", "SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE");

    /** Where a variable is missing the default counts, where there is none the error names all forms. */
    static Environment of(Map<String, String> variables, int worldSize, String address, int port) {
        int size = integer(variables, SIZES).orElse(worldSize);
        int rank = integer(variables, RANKS)
                .orElseThrow(() -> new EnvironmentException(
                        "launch: environment needs the number of this rank in one of " + RANKS + ", none is set"));
        if (size != worldSize) {
            throw new EnvironmentException(
                    "the environment says " + size + " ranks, the config's layout has " + worldSize);
        }
        if (rank < 0 || rank >= size) {
            throw new EnvironmentException("the environment says rank " + rank + " of " + size);
        }
        String master = variables.getOrDefault("MASTER_ADDR", address);
        int masterPort = integer(variables, List.of("MASTER_PORT")).orElse(port);
        if (masterPort == 0) {
            throw new EnvironmentException(
                    "launch: environment needs the port of rank 0: set MASTER_PORT or cluster.master.port");
        }
        return new Environment(rank, size, master, masterPort);
    }

    private static Optional<Integer> integer(Map<String, String> variables, List<String> names) {
        for (String name : names) {
            String value = variables.get(name);
            if (value != null) {
                try {
                    return Optional.of(Integer.parseInt(value.strip()));
                } catch (NumberFormatException e) {
                    throw new EnvironmentException(name + "=" + value + " in the environment is no number");
                }
            }
        }
        return Optional.empty();
    }
}
