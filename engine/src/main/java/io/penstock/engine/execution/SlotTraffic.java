package io.penstock.engine.execution;

import io.penstock.engine.state.OffloadedActivations;
import io.penstock.partitioner.memory.OffloadedSlots;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Visit;
import java.util.List;

/**
 * What goes out of a rank's two regions and comes into them along one program. Visits use the regions in turn; while one computes, the other region is emptied and filled:
 *
 * <pre>
 *   region 0   | F3       | out 3, in 1 | B1        | in 2 ...
 *   region 1   | in ...   | F4          | out 4, ...
 * </pre>
 */
final class SlotTraffic {
    private final OffloadedActivations elsewhere;
    private final ActivationSlots slots;
    private final List<Visit> visits;
    private int next;

    SlotTraffic(OffloadedActivations elsewhere, ActivationSlots slots, List<Instruction> program) {
        this.elsewhere = elsewhere;
        this.slots = slots;
        this.visits = Visit.of(program);
    }

    void begin() {
        next = 0;
    }

    /** Before the instruction of this place in the program. */
    void before(int instruction) {
        if (next == visits.size() || visits.get(next).first() != instruction) {
            return;
        }
        int region = next % OffloadedSlots.RESIDENT;
        elsewhere.await(region);
        slots.use(region);
        next++;
        if (next < visits.size() && visits.get(next).returns()) {
            Visit following = visits.get(next);
            elsewhere.fetch(following.chunk(), following.microBatch(), next % OffloadedSlots.RESIDENT);
        }
    }

    /** After it. */
    void after(int instruction) {
        if (next == 0) {
            return;
        }
        Visit visit = visits.get(next - 1);
        if (visit.last() == instruction && visit.leaves()) {
            elsewhere.send(visit.chunk(), visit.microBatch(), (next - 1) % OffloadedSlots.RESIDENT);
        }
    }
}
