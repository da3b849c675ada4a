package io.penstock.partitioner.cluster;

/**
 * Presets. The A100's effective rates are calibrated on SC'21 table 1 and the 22B layer times ({@code docs/plan-model.md}); the others keep its efficiencies and scale by
 * the printed rates, which no measurement here has confirmed.
 */
public final class Clusters {
    private static final double GIB = 1L << 30;
    private static final double EFFICIENCY = 0.75;
    private static final double HALF_DEPTH = 49;
    private static final double LAUNCH = 62e-6;
    private static final double COLLECTIVE_LATENCY = 16e-6;
    private static final double PIPELINE_LATENCY = 0.65e-3;

    private Clusters() {}

    /** A100-80GB SXM, 8 a node with NVLink 3 and 8 x 200 Gb/s. */
    public static Cluster a100Hdr(int devices) {
        Device device = new Device("A100-80GB SXM", 312e12, EFFICIENCY, HALF_DEPTH, 80 * GIB, 1.73e12, LAUNCH);
        return new Cluster(
                "a100-80gb-hdr",
                devices,
                8,
                device,
                new Wire(COLLECTIVE_LATENCY, 262e9),
                new Wire(COLLECTIVE_LATENCY, 19e9),
                new Wire(PIPELINE_LATENCY, 17.2e9),
                new Host(256 * GIB, 35e9, 22e9),
                Software.MEGATRON_2022);
    }

    /** H100 SXM5 80GB, 8 a node with NVLink 4 and 8 x 400 Gb/s. */
    public static Cluster h100Ndr(int devices) {
        Device device = new Device("H100-80GB SXM", 989e12, EFFICIENCY, HALF_DEPTH, 80 * GIB, 2.84e12, LAUNCH);
        return new Cluster(
                "h100-sxm-ndr",
                devices,
                8,
                device,
                new Wire(COLLECTIVE_LATENCY, 370e9),
                new Wire(COLLECTIVE_LATENCY, 38e9),
                new Wire(PIPELINE_LATENCY, 34.4e9),
                new Host(256 * GIB, 50e9, 45e9),
                Software.MEGATRON_2022);
    }

    /** H200 SXM 141GB, otherwise as {@link #h100Ndr}. */
    public static Cluster h200Ndr(int devices) {
        Device device = new Device("H200-141GB SXM", 989e12, EFFICIENCY, HALF_DEPTH, 141e9, 4.07e12, LAUNCH);
        Cluster h100 = h100Ndr(devices);
        return new Cluster(
                "h200-ndr",
                devices,
                8,
                device,
                h100.inNode(),
                h100.network(),
                h100.pipeline(),
                h100.host(),
                h100.software());
    }
}
