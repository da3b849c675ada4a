package io.penstock.partitioner.cluster;

import io.penstock.partitioner.PlanException;

/**
 * Equal devices in equal nodes.
 *
 * @param inNode for collectives between devices of a node
 * @param network for collectives between nodes
 * @param pipeline for messages between stages, as an engine reaches it, waits for the device included
 */
public record Cluster(
        String name, int devices, int devicesPerNode, Device device, Wire inNode, Wire network, Wire pipeline) {
    public Cluster {
        if (devices < 1 || devicesPerNode < 1) {
            throw new PlanException("cluster " + name + " of " + devices + " devices, " + devicesPerNode
                    + " a node: both must be positive");
        }
        if (devices > devicesPerNode && devices % devicesPerNode != 0) {
            throw new PlanException("cluster " + name + ": devices=" + devices + " % devices_per_node=" + devicesPerNode
                    + " = " + devices % devicesPerNode + ", expected 0");
        }
    }
}
