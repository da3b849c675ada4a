package io.penstock.transport;

import io.aeron.driver.reports.LossReport;
import io.aeron.driver.reports.LossReportUtil;
import java.nio.MappedByteBuffer;
import org.agrona.BitUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads from the media driver's loss report how many bytes of each stream to this rank were lost on the way, and asked for again. The
 * report is one entry a stream, one after the other, see {@link LossReport}. Of the thread that has the {@link Turn}.
 */
final class LossMonitor implements AutoCloseable {
    private final AgentContext context;
    private final AeronPaths paths;
    private final int worldSize;
    private final MappedByteBuffer mapped;
    private final UnsafeBuffer report;

    LossMonitor(AgentContext context, AeronPaths paths, String driverDirectory, int worldSize) {
        this.context = context;
        this.paths = paths;
        this.worldSize = worldSize;
        this.mapped = LossReportUtil.mapLossReportReadOnly(driverDirectory);
        this.report = new UnsafeBuffer(mapped);
    }

    void update() {
        int at = 0;
        while (at + LossReport.ENTRY_ALIGNMENT <= report.capacity()
                && report.getLongVolatile(at + LossReport.OBSERVATION_COUNT_OFFSET) > 0) {
            count(
                    report.getInt(at + LossReport.STREAM_ID_OFFSET),
                    report.getLongVolatile(at + LossReport.TOTAL_BYTES_LOST_OFFSET));
            at += entryBytes(at);
        }
    }

    /** Two strings, each a length and ASCII bytes, end an entry. */
    private int entryBytes(int at) {
        int channel = Integer.BYTES + report.getInt(at + LossReport.CHANNEL_OFFSET);
        int sourceOffset = LossReport.CHANNEL_OFFSET + BitUtil.align(channel, Integer.BYTES);
        int source = Integer.BYTES + report.getInt(at + sourceOffset);
        return BitUtil.align(sourceOffset + source, LossReport.ENTRY_ALIGNMENT);
    }

    private void count(int stream, long bytes) {
        for (int peer = 0; peer < worldSize; peer++) {
            for (int lane = 0; lane < Kind.LANES; lane++) {
                if (stream == paths.dataStream(peer, context.rank(), lane)) {
                    context.counters().set(peer, lane, Counter.BYTES_LOST, bytes);
                }
            }
        }
    }

    @Override
    public void close() {
        IoUtil.unmap(mapped);
    }
}
