package io.penstock.partitioner.cluster;

import io.penstock.partitioner.PlanException;

/**
 * A device's share of the host: where states can be offloaded to.
 *
 * @param memoryBytes capacity a device
 * @param memoryBytesPerSecond reached by the host's part of the update, a device
 * @param linkBytesPerSecond between device and host, a direction
 */
public record Host(double memoryBytes, double memoryBytesPerSecond, double linkBytesPerSecond) {
    public Host {
        if (!(memoryBytes >= 0) || !(memoryBytesPerSecond > 0) || !(linkBytesPerSecond > 0)) {
            throw new PlanException("a host of " + memoryBytes + " bytes at " + memoryBytesPerSecond
                    + " bytes/s behind a link of " + linkBytesPerSecond + " bytes/s: rates must be above zero");
        }
    }
}
