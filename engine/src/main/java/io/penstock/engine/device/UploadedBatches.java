package io.penstock.engine.device;

import io.penstock.engine.execution.BatchSource;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DType;
import io.penstock.tensor.DeviceCopies;
import io.penstock.tensor.Tensor;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/** Token ids that the host writes, brought to the device. Allocates at the first micro-batch. */
public final class UploadedBatches implements BatchSource {
    private final BatchSource host;
    private final DeviceCopies copies;
    private @Nullable Tensor ids_BT;

    private UploadedBatches(BatchSource host, DeviceCopies copies) {
        this.host = host;
        this.copies = copies;
    }

    /** {@code host}, which writes host memory, for tensors of {@code backend}: itself where these are host memory. */
    public static BatchSource of(BatchSource host, Backend backend) {
        return backend.copies()
                .<BatchSource>map(copies -> new UploadedBatches(host, copies))
                .orElse(host);
    }

    @Override
    public void tokens(Tensor tokens_BT, int step, int microBatch) {
        Tensor ids = like(tokens_BT);
        host.tokens(ids, step, microBatch);
        copies.upload(tokens_BT.segment(), ids.segment());
    }

    @Override
    public void targets(Tensor targets_BT, int step, int microBatch) {
        Tensor ids = like(targets_BT);
        host.targets(ids, step, microBatch);
        copies.upload(targets_BT.segment(), ids.segment());
    }

    private Tensor like(Tensor device_BT) {
        Tensor ids = ids_BT;
        if (ids == null || !ids.shape().equals(device_BT.shape())) {
            ids = Tensor.of(Arena.ofAuto().allocate(device_BT.bytes(), Long.BYTES), DType.I32, device_BT.shape());
            ids_BT = ids;
        }
        return ids;
    }

    @Override
    public boolean counts(int microBatch) {
        return host.counts(microBatch);
    }
}
