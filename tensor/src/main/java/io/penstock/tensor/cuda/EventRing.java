package io.penstock.tensor.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Moments of streams, numbered as they are recorded. Moment {@code n} is event {@code n mod size}; one that is recorded again stands for a later moment, so that who waits for an old
 * number may wait longer. The context must be the thread's. Threads of others may use the events, which never change, and hold the ring's lock for that if its owner may close it.
 */
final class EventRing implements AutoCloseable {
    private final CUevent[] events;
    private long next;
    private boolean closed;

    EventRing(int size) {
        events = new CUevent[size];
        for (int i = 0; i < size; i++) {
            events[i] = event(CUevent_flags.CU_EVENT_DISABLE_TIMING);
        }
    }

    static CUevent event(int flags) {
        CUevent event = new CUevent();
        JCudaDriver.cuEventCreate(event, flags);
        return event;
    }

    /** The number of the moment when {@code stream} has done all that it was given. */
    long record(CUstream stream) {
        JCudaDriver.cuEventRecord(of(next), stream);
        return next++;
    }

    /** As {@link #record}, once the moment whose event is taken has come: an old number's moment is past. */
    long recordWhenFree(CUstream stream) {
        if (next >= events.length) {
            JCudaDriver.cuEventSynchronize(of(next));
        }
        return record(stream);
    }

    /** Whether another moment has the event now. */
    boolean isOld(long moment) {
        return moment < next - events.length;
    }

    CUevent of(long moment) {
        return events[(int) (moment % events.length)];
    }

    /** What {@code stream} is given from now on begins after the moment. */
    void order(CUstream stream, long moment) {
        JCudaDriver.cuStreamWaitEvent(stream, of(moment), 0);
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (CUevent event : events) {
            JCudaDriver.cuEventDestroy(event);
        }
    }
}
