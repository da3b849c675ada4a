package io.penstock.tensor.cpu;

/** What the CPU backend finds on this machine, for {@code doctor}. Loads oneDNN, where there is one, to ask it. */
public record CpuFeatures(String architecture, int processors, int vectorBits, boolean oneDnn, String products) {
    public static CpuFeatures detect() {
        String problem = OneDnnLibrary.PROBLEM;
        String products = problem == null ? OneDnnMatmuls.describe() : "Vector API: " + problem;
        return new CpuFeatures(
                System.getProperty("os.arch", "unknown"),
                Runtime.getRuntime().availableProcessors(),
                Lanes.FLOATS.vectorBitSize(),
                problem == null,
                products);
    }
}
