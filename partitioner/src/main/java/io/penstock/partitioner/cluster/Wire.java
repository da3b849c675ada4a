package io.penstock.partitioner.cluster;

import io.penstock.partitioner.PlanException;

/**
 * A way between devices.
 *
 * @param latencySeconds of one operation, however small
 * @param bytesPerSecond a device and direction
 */
public record Wire(double latencySeconds, double bytesPerSecond) {
    public Wire {
        if (!(latencySeconds >= 0) || !(bytesPerSecond > 0)) {
            throw new PlanException("a wire of " + bytesPerSecond + " bytes/s and " + latencySeconds
                    + " s latency: the bandwidth must be above zero");
        }
    }

    public double message(double bytes) {
        return latencySeconds + bytes / bytesPerSecond;
    }

    /** Ring: every device sends 2 (n - 1) / n of the bytes. */
    public double allReduce(double bytes, int devices) {
        return devices == 1 ? 0 : latencySeconds + bytes * 2 * (devices - 1) / devices / bytesPerSecond;
    }

    /** Half of an all-reduce: a reduce-scatter costs the same. */
    public double allGather(double bytes, int devices) {
        return devices == 1 ? 0 : latencySeconds + bytes * (devices - 1) / devices / bytesPerSecond;
    }
}
