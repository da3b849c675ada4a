package io.penstock.partitioner.reference;

/** Bytes of model states a device with mixed-precision Adam (K = 12) over N data-parallel ranks. Rajbhandari et al. 2020 (arXiv 1910.02054), table 1. */
public final class ZeroMemory {
    private ZeroMemory() {}

    /** {@code stage} 0: nothing sharded; 1: optimizer; 2: and gradients; 3: and parameters. */
    public static double modelStateBytes(double parameters, int dataParallel, int stage) {
        double n = dataParallel;
        return switch (stage) {
            case 0 -> 16 * parameters;
            case 1 -> 4 * parameters + 12 * parameters / n;
            case 2 -> 2 * parameters + 14 * parameters / n;
            case 3 -> 16 * parameters / n;
            default -> throw new IllegalArgumentException("zero_stage=" + stage + ": expected 0, 1, 2 or 3");
        };
    }
}
