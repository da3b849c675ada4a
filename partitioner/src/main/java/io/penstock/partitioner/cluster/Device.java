package io.penstock.partitioner.cluster;

import io.penstock.partitioner.PlanException;

/**
 * A device by what it reaches, not by what is printed on it.
 *
 * @param peakFlopsPerSecond of 16-bit matrix products, the base of MFU
 * @param matrixEfficiency share of the peak that a deep matrix product reaches
 * @param halfDepth the depth k of a product at which half of that is reached: short dot products leave the units idle
 * @param memoryBytes capacity
 * @param memoryBytesPerSecond reached by passes over memory
 * @param launchSeconds what each kernel costs beside its work
 */
public record Device(
        String name,
        double peakFlopsPerSecond,
        double matrixEfficiency,
        double halfDepth,
        double memoryBytes,
        double memoryBytesPerSecond,
        double launchSeconds) {
    public Device {
        if (!(peakFlopsPerSecond > 0)
                || !(matrixEfficiency > 0)
                || matrixEfficiency > 1
                || !(memoryBytes > 0)
                || !(memoryBytesPerSecond > 0)
                || !(halfDepth >= 0)
                || !(launchSeconds >= 0)) {
            throw new PlanException("device " + name + ": " + peakFlopsPerSecond + " FLOP/s at " + matrixEfficiency
                    + ", memory of " + memoryBytes + " bytes at " + memoryBytesPerSecond
                    + " bytes/s: rates and sizes must be positive, the efficiency at most 1");
        }
    }

    /** Seconds of {@code count} products (m, k) x (k, n) in 16 bit: by arithmetic or by memory, whichever is slower. */
    public double product(double m, double k, double n, double count) {
        double rate = peakFlopsPerSecond * matrixEfficiency * k / (k + halfDepth);
        double bytes = 2 * count * (m * k + k * n + m * n);
        return Math.max(2 * count * m * k * n / rate, bytes / memoryBytesPerSecond) + launchSeconds;
    }

    /** Seconds of {@code kernels} passes that read and write {@code bytes} in all. */
    public double passes(double bytes, int kernels) {
        return bytes / memoryBytesPerSecond + kernels * launchSeconds;
    }
}
