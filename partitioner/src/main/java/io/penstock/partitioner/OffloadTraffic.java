package io.penstock.partitioner;

import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Visit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Bytes between a rank and its stores, by the computation that asks for them. */
final class OffloadTraffic {
    private final Plan plan;
    private final ReplicaTraffic windows;
    /** A rank each: what the visit's first computation finds carried for it, and its last leaves to be carried. */
    private final List<Map<Instruction, Double>> carried = new ArrayList<>();

    OffloadTraffic(Plan plan, ReplicaTraffic windows) {
        this.plan = plan;
        this.windows = windows;
        for (int rank = 0; rank < plan.memory().size(); rank++) {
            carried.add(carried(
                    plan.schedule().instructions().get(rank),
                    plan.memory().get(rank).offloadedSlots()));
        }
    }

    private static Map<Instruction, Double> carried(List<Instruction> program, OffloadedSlots slots) {
        Map<Instruction, Double> bytes = new HashMap<>();
        for (Visit visit : slots.isEmpty() ? List.<Visit>of() : Visit.of(program)) {
            double slot = slots.bytes(visit.chunk());
            if (visit.returns()) {
                bytes.merge(program.get(visit.first()), slot, Double::sum);
            }
            if (visit.leaves()) {
                bytes.merge(program.get(visit.last()), slot, Double::sum);
            }
        }
        return bytes;
    }

    /** Of activations, out of the device and into it. */
    double activationBytes(int rank, Instruction computation) {
        return carried.get(rank).getOrDefault(computation, 0.0);
    }

    /** Masters that an episode on a chunk makes its windows from, where these stay. */
    double episodeBytes(int rank, int chunk) {
        return windows.staysWhole(rank, chunk) ? masterBytes(rank, chunk) : 0;
    }

    /** Masters that every computation of a chunk with more blocks than windows makes them from. */
    double computationBytes(int rank, int chunk) {
        return windows.staysWhole(rank, chunk) ? 0 : masterBytes(rank, chunk);
    }

    private double masterBytes(int rank, int chunk) {
        return plan.techniques().offloading().ofParameters()
                ? windows.windowedElements(rank, chunk)
                        * plan.compute().accumulator().bytes()
                : 0;
    }

    /** Of the update: states are read and written. */
    double updateBytes(int rank) {
        return 2.0 * plan.memory().get(rank).store().totalBytes();
    }
}
