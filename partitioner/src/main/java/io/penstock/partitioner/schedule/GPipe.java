package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.Forward;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.ArrayList;
import java.util.List;

/** All forwards, then all backwards: the simple reference; holds every micro-batch. Huang et al. 2019. */
final class GPipe {
    private GPipe() {}

    static List<OnMicroBatch> order(int microBatches) {
        List<OnMicroBatch> order = new ArrayList<>();
        for (int i = 0; i < microBatches; i++) {
            order.add(new Forward(i, 0));
        }
        for (int i = 0; i < microBatches; i++) {
            order.add(new Backward(i, 0));
        }
        return order;
    }
}
