package io.penstock.tensor.cuda;

import io.penstock.tensor.DeviceClock;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** Events with times in the stream of work. The driver gives times between two events alone: one that is recorded at the reading, and waited for, ties them to the host's clock. */
final class EventClock implements DeviceClock {
    private static final double NS_PER_MS = 1e6;

    private final CUstream work;
    private final CUevent[] stamps;
    private final CUevent reading;
    private final Runnable bind;
    private boolean stamped;
    private boolean closed;

    /** {@code bind} makes the context the thread's, which it is now. */
    EventClock(CUstream work, int count, Runnable bind) {
        this.work = work;
        this.bind = bind;
        stamps = new CUevent[count];
        for (int i = 0; i < count; i++) {
            stamps[i] = EventRing.event(CUevent_flags.CU_EVENT_DEFAULT);
        }
        reading = EventRing.event(CUevent_flags.CU_EVENT_DEFAULT);
    }

    @Override
    public void stamp(int number) {
        bind.run();
        JCudaDriver.cuEventRecord(stamps[number], work);
        stamped = true;
    }

    @Override
    public long[] readNs() {
        long[] moments = new long[stamps.length];
        if (!stamped) {
            return moments;
        }
        bind.run();
        JCudaDriver.cuEventRecord(reading, work);
        JCudaDriver.cuEventSynchronize(reading);
        // A float has a step's length to the microsecond, but not what lies between the step and now: that only places
        // the first.
        long firstNs = System.nanoTime() - between(stamps[0], reading);
        for (int i = 0; i < stamps.length; i++) {
            moments[i] = firstNs + between(stamps[0], stamps[i]);
        }
        return moments;
    }

    private static long between(CUevent from, CUevent to) {
        float[] milliseconds = new float[1];
        JCudaDriver.cuEventElapsedTime(milliseconds, from, to);
        return Math.round(milliseconds[0] * NS_PER_MS);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        bind.run();
        for (CUevent event : stamps) {
            JCudaDriver.cuEventDestroy(event);
        }
        JCudaDriver.cuEventDestroy(reading);
    }
}
