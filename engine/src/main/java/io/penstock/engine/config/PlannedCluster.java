package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Key;
import io.penstock.engine.config.yaml.Ranges;
import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Device;
import io.penstock.partitioner.cluster.Wire;
import java.util.Optional;

/** A cluster to plan for: a preset, with what differs from it. Bandwidths are what is reached, a device and direction, not what is printed. */
public record PlannedCluster(
        @Key("Devices and wires to start from.") ClusterPreset preset,

        @Key(value = "Devices in all.", min = 1, max = 10000000)
        int devices,

        @Key(value = "Devices of a node; tensor parallelism stays inside one.", min = 1, max = 100000)
        Optional<Integer> devicesPerNode,

        @Key("Memory of a device, such as 80GiB.") Optional<ByteSize> memoryPerDevice,

        @Key(value = "Collectives between nodes, GB/s a device.", above = 0)
        Optional<Double> networkBandwidth,

        @Key(value = "Collectives inside a node, GB/s a device.", above = 0)
        Optional<Double> nodeBandwidth,

        @Key(value = "Messages between pipeline stages, GB/s.", above = 0)
        Optional<Double> pipelineBandwidth,

        @Key(value = "Price of one device for one hour, in any currency.", min = 0)
        Optional<Double> pricePerHour) {
    private static final double GB = 1e9;

    public PlannedCluster {
        Ranges.check(
                PlannedCluster.class,
                preset,
                devices,
                devicesPerNode,
                memoryPerDevice,
                networkBandwidth,
                nodeBandwidth,
                pipelineBandwidth,
                pricePerHour);
    }

    /** @throws io.penstock.partitioner.PlanException if the nodes do not divide the devices */
    public Cluster toCluster() {
        // A preset's own node size may not divide; the whole is checked below with the node size that counts.
        Cluster base = preset.of(8);
        Device device = base.device();
        Device sized = new Device(
                device.name(),
                device.peakFlopsPerSecond(),
                device.matrixEfficiency(),
                device.halfDepth(),
                memoryPerDevice.map(size -> (double) size.bytes()).orElse(device.memoryBytes()),
                device.memoryBytesPerSecond(),
                device.launchSeconds());
        return new Cluster(
                base.name(),
                devices,
                devicesPerNode.orElse(base.devicesPerNode()),
                sized,
                wire(base.inNode(), nodeBandwidth),
                wire(base.network(), networkBandwidth),
                wire(base.pipeline(), pipelineBandwidth),
                base.host(),
                base.software());
    }

    private static Wire wire(Wire base, Optional<Double> gigabytes) {
        return new Wire(base.latencySeconds(), gigabytes.map(g -> g * GB).orElse(base.bytesPerSecond()));
    }
}
