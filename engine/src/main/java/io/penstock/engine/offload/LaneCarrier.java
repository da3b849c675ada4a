package io.penstock.engine.offload;

import io.penstock.tensor.DeviceLane;

/** Carries by the device itself, to host memory that it reaches: no thread, and the host never waits. Owns the lane. */
public final class LaneCarrier implements Carrier {
    private final DeviceLane lane;

    public LaneCarrier(DeviceLane lane) {
        this.lane = lane;
    }

    @Override
    public long ask(Copy copy) {
        long number = copy.toStore()
                ? lane.startDownload(copy.elsewhere().segment(), copy.here().segment())
                : lane.startUpload(copy.here().segment(), copy.elsewhere().segment());
        return number + 1;
    }

    @Override
    public void await(long copy) {
        if (copy > 0) {
            lane.orderAfter(copy - 1);
        }
    }

    @Override
    public void close() {
        lane.close();
    }
}
