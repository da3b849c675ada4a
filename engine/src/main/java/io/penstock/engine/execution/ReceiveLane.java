package io.penstock.engine.execution;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Endpoint;
import io.penstock.transport.Tag;
import io.penstock.transport.Transfer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The receives of one kind (activations or gradients) of a rank's program, posted in program order as soon as their memory is free, so that bytes arrive while the rank
 * computes.
 */
final class ReceiveLane {
    /** Memory of a received micro-batch, and whether nobody needs what is in it. */
    interface Destination {
        Tensor of(int chunk, int microBatch);

        boolean isFree(int chunk, int microBatch);
    }

    /** One receive of the program; {@code peer} is the endpoint's number of the sender. */
    record Receive(int chunk, int microBatch, int peer, Tag tag) {}

    private final Endpoint endpoint;
    private final Destination destination;
    private final List<Receive> receives;
    private final @Nullable Transfer[] transfers;
    private int posted;
    private int awaited;

    ReceiveLane(Endpoint endpoint, Destination destination, List<Receive> receives) {
        this.endpoint = endpoint;
        this.destination = destination;
        this.receives = List.copyOf(receives);
        this.transfers = new Transfer[receives.size()];
    }

    void begin() {
        if (awaited != receives.size() && awaited != 0) {
            throw new IllegalStateException(
                    "step begun with " + (receives.size() - awaited) + " receives left of the last");
        }
        posted = 0;
        awaited = 0;
    }

    void postFree(int step) {
        while (posted < receives.size()) {
            Receive next = receives.get(posted);
            if (!destination.isFree(next.chunk(), next.microBatch())) {
                return;
            }
            post(step);
        }
    }

    private void post(int step) {
        Receive next = receives.get(posted);
        Tensor memory = destination.of(next.chunk(), next.microBatch());
        transfers[posted] = endpoint.receive(next.peer(), next.tag(), step, next.microBatch(), memory.segment());
        posted++;
    }

    /** Waits for the next receive in program order, which must be that of {@code instruction}. */
    void await(Instruction.OnMicroBatch instruction, int step) {
        Receive next = receives.get(awaited);
        if (next.chunk() != instruction.chunk() || next.microBatch() != instruction.microBatch()) {
            throw new IllegalStateException("program asks for " + instruction + ", next receive is " + next);
        }
        if (posted == awaited) {
            post(step);
        }
        Transfer transfer = transfers[awaited];
        if (transfer == null) {
            throw new IllegalStateException("receive not posted: " + next);
        }
        endpoint.await(transfer);
        transfers[awaited] = null;
        awaited++;
    }
}
