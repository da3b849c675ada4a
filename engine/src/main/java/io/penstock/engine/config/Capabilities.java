package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Finding;
import io.penstock.tensor.cuda.CudaBackend;
import java.util.ArrayList;
import java.util.List;

/** What the configuration can say and this version cannot do yet, in its only place: a feature that lands takes its line away. */
final class Capabilities {
    private final List<Finding> findings = new ArrayList<>();

    private Capabilities() {}

    static List<Finding> findings(Parallelism parallelism, ClusterConfig cluster) {
        Capabilities lacking = new Capabilities();
        if (cluster.device() == DeviceKind.CUDA) {
            lacking.cuda(parallelism, cluster);
        }
        return lacking.findings;
    }

    private void cuda(Parallelism parallelism, ClusterConfig cluster) {
        if (parallelism instanceof Layout layout && layout.tensor() > CudaBackend.MOST_TERMS) {
            findings.add(new Finding(
                    List.of("parallelism.tensor", "cluster.device"),
                    "a GPU adds up what at most " + CudaBackend.MOST_TERMS + " tensor-parallel ranks hold, found "
                            + layout.tensor()));
        }
        List<Offload> offload = switch (parallelism) {
            case Layout layout -> layout.offload();
            case PartlyAutoLayout partly -> partly.offload();
            case AutoLayout auto -> List.of();
        };
        boolean offloads = !offload.isEmpty() && !offload.contains(Offload.NONE);
        if (offloads && cluster.offloadStore().kind() != OffloadStoreKind.HOST) {
            findings.add(new Finding(
                    List.of("cluster.offload_store.kind", "parallelism.offload"),
                    "parallelism.offload: " + offload
                            + " with cluster.device: cuda needs cluster.offload_store.kind: host, found "
                            + cluster.offloadStore().kind() + ": a GPU does not reach memory of files"));
        }
    }
}
