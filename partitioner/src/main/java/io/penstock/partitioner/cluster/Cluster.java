package io.penstock.partitioner.cluster;

import io.penstock.partitioner.PlanException;

/**
 * Equal devices in equal nodes.
 *
 * @param inNode for collectives between devices of a node
 * @param network for collectives between nodes
 * @param pipeline for messages between stages, as an engine reaches it, waits for the device included
 * @param host the way between a device and its share of the host's memory
 */
public record Cluster(
        String name,
        int devices,
        int devicesPerNode,
        Device device,
        Wire inNode,
        Wire network,
        Wire pipeline,
        Host host,
        Software software) {
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

    /** The same devices and wires, more or fewer of them. */
    public Cluster withDevices(int count) {
        return new Cluster(
                name, count, Math.min(count, devicesPerNode), device, inNode, network, pipeline, host, software);
    }

    public Cluster withSoftware(Software other) {
        return new Cluster(name, devices, devicesPerNode, device, inNode, network, pipeline, host, other);
    }
}
