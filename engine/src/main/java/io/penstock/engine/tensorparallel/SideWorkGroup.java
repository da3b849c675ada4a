package io.penstock.engine.tensorparallel;

import io.penstock.models.parallel.TensorGroup;
import io.penstock.tensor.Tensor;

/** A group whose layers, between their pieces of work, also move on what others have under way: an operation over replicas takes several meetings, and a layer is long. */
public record SideWorkGroup(TensorGroup group, Runnable work) implements TensorGroup {
    @Override
    public int size() {
        return group.size();
    }

    @Override
    public int index() {
        return group.index();
    }

    @Override
    public void startAllReduce(Tensor x) {
        group.startAllReduce(x);
    }

    @Override
    public void startReduceScatter(Tensor x) {
        group.startReduceScatter(x);
    }

    @Override
    public void startAllGather(Tensor x) {
        group.startAllGather(x);
    }

    @Override
    public void poll() {
        group.poll();
        work.run();
    }

    @Override
    public void await() {
        group.await();
    }
}
