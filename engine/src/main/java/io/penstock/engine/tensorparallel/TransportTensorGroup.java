package io.penstock.engine.tensorparallel;

import io.penstock.models.parallel.TensorGroup;
import io.penstock.tensor.DType;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Collectives;
import io.penstock.transport.Operation;
import java.util.ArrayList;
import java.util.List;

/** A tensor group whose ranks are reached by {@link Collectives}. Memory, endpoint and sum are of one kind: all of the host or all of a device. Allocates nothing for a row size that it has seen. */
public final class TransportTensorGroup implements TensorGroup {
    /** Fewer than {@link Collectives} takes at once. */
    private static final int MOST = 64;

    private final Collectives collectives;
    private final ElementSum sum;
    private final List<RowReducer> reducers = new ArrayList<>();
    private final Operation[] running = new Operation[MOST];
    private int count;

    /** {@code collectives}: of the ranks that share each layer, in order of their parts. */
    public TransportTensorGroup(Collectives collectives, ElementSum sum) {
        this.collectives = collectives;
        this.sum = sum;
    }

    @Override
    public int size() {
        return collectives.groupSize();
    }

    @Override
    public int index() {
        return collectives.groupIndex();
    }

    @Override
    public void startAllReduce(Tensor x) {
        RowReducer reducer = reducer(x.dtype(), x.dtype().bytes());
        started(collectives.startAllReduce(x.segment(), 0, x.bytes(), reducer));
    }

    @Override
    public void startReduceScatter(Tensor x) {
        RowReducer reducer = reducer(x.dtype(), rowBytes(x));
        started(collectives.startReduceScatter(x.segment(), 0, x.bytes(), reducer));
    }

    @Override
    public void startAllGather(Tensor x) {
        started(collectives.startAllGatherShards(x.segment(), 0, x.bytes(), rowBytes(x)));
    }

    private static int rowBytes(Tensor x) {
        return Math.toIntExact(x.shape().last() * x.dtype().bytes());
    }

    private RowReducer reducer(DType dtype, int elementBytes) {
        for (int i = 0; i < reducers.size(); i++) {
            RowReducer known = reducers.get(i);
            if (known.dtype() == dtype && known.elementBytes() == elementBytes) {
                return known;
            }
        }
        RowReducer reducer = new RowReducer(sum, dtype, elementBytes);
        reducers.add(reducer);
        return reducer;
    }

    private void started(Operation operation) {
        running[count++] = operation;
        if (count == MOST) {
            await();
        }
        // the first chunk goes on its way before this thread computes on
        collectives.poll();
    }

    @Override
    public void poll() {
        if (count > 0) {
            collectives.poll();
        }
    }

    @Override
    public void await() {
        for (int i = 0; i < count; i++) {
            collectives.await(running[i]);
        }
        count = 0;
    }
}
