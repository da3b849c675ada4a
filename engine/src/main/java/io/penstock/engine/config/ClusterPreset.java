package io.penstock.engine.config;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.cluster.Clusters;

/** Clusters that a plan may be made for. */
public enum ClusterPreset {
    A100("a100-80gb-hdr"),
    H100("h100-sxm-ndr"),
    H200("h200-ndr");

    private final String word;

    ClusterPreset(String word) {
        this.word = word;
    }

    /** With that many devices; see {@link Clusters} for where the numbers come from. */
    Cluster of(int devices) {
        return switch (this) {
            case A100 -> Clusters.a100Hdr(devices);
            case H100 -> Clusters.h100Ndr(devices);
            case H200 -> Clusters.h200Ndr(devices);
        };
    }

    /** The word in the configuration. */
    @Override
    public String toString() {
        return word;
    }
}
