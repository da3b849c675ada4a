package io.penstock.partitioner.search;

import io.penstock.partitioner.cluster.Cluster;
import io.penstock.partitioner.estimate.Layout;
import io.penstock.partitioner.estimate.Layout.Offload;
import io.penstock.partitioner.estimate.Layout.Recompute;
import io.penstock.partitioner.estimate.Transformer;
import io.penstock.partitioner.schedule.Schedules;
import java.util.ArrayList;
import java.util.List;

/**
 * Every layout that divides: devices by the axes, heads by tensor, batch by data and micro-batch; tensor parallelism stays inside a node. What only ever helps is not tried
 * without: sequence parallelism inside a tensor-parallel group costs nothing, and recomputation is as little as fits.
 */
final class Layouts {
    private static final int MOST_CHUNKS = 8;
    private static final int LARGEST_MICRO_BATCH = 64;

    private final Transformer model;
    private final int globalBatch;
    private final Pinned pinned;
    private final List<Layout> found = new ArrayList<>();

    private Layouts(Transformer model, int globalBatch, Pinned pinned) {
        this.model = model;
        this.globalBatch = globalBatch;
        this.pinned = pinned;
    }

    static List<Layout> of(Transformer model, Cluster cluster, int globalBatch, Pinned pinned) {
        Layouts layouts = new Layouts(model, globalBatch, pinned);
        int devices = cluster.devices();
        for (int tensor = 1; tensor <= Math.min(devices, cluster.devicesPerNode()); tensor++) {
            boolean divides = devices % tensor == 0
                    && model.heads() % tensor == 0
                    && model.keyValueHeads() % tensor == 0
                    && model.intermediate() % tensor == 0;
            for (int pipeline = 1; divides && pipeline <= model.layers() + 2; pipeline++) {
                if (devices / tensor % pipeline == 0) {
                    layouts.batches(tensor, pipeline, devices / tensor / pipeline);
                }
            }
        }
        return layouts.found;
    }

    private void batches(int tensor, int pipeline, int data) {
        for (int microBatch = 1; microBatch <= LARGEST_MICRO_BATCH; microBatch *= 2) {
            if (globalBatch % ((long) data * microBatch) == 0) {
                int microBatches = globalBatch / data / microBatch;
                for (String schedule : Schedules.NAMES) {
                    schedules(tensor, pipeline, data, microBatch, microBatches, schedule);
                }
            }
        }
    }

    private void schedules(int tensor, int pipeline, int data, int microBatch, int microBatches, String schedule) {
        boolean pipelined = !schedule.equals("1f1b") && !schedule.equals("gpipe");
        boolean interleaved = schedule.equals("interleaved-1f1b");
        // GPipe is never faster than 1F1B and holds more: only where it is asked for.
        boolean dominated = (pipeline == 1 && pipelined)
                || (schedule.equals("gpipe") && pinned.schedule().isEmpty())
                || (interleaved && microBatches % pipeline != 0);
        int mostZero = data == 1 ? 0 : 3;
        int most = interleaved ? MOST_CHUNKS : Schedules.defaultChunks(schedule);
        for (int chunks = Schedules.defaultChunks(schedule); !dominated && chunks <= most; chunks++) {
            if ((long) pipeline * chunks <= model.layers() + 2) {
                for (int zero = 0; zero <= mostZero; zero++) {
                    add(new Layout(
                            tensor,
                            pipeline,
                            data,
                            microBatch,
                            microBatches,
                            schedule,
                            chunks,
                            zero,
                            pinned.recompute().orElse(Recompute.AS_NEEDED),
                            pinned.sequenceParallel().orElse(tensor > 1),
                            pinned.offload().orElse(Offload.NONE)));
                }
            }
        }
    }

    private void add(Layout layout) {
        boolean listed = Schedules.canList(layout.pipeline(), layout.chunks(), layout.microBatches());
        if (listed && pinned.allows(layout)) {
            found.add(layout);
        }
    }
}
