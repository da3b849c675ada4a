package io.penstock.transport;

import org.jspecify.annotations.Nullable;

/** What the lanes of one endpoint share. */
record AgentContext(
        int rank,
        long job,
        int epoch,
        EndpointSettings settings,
        EndpointCounters counters,
        FailureBoard board,
        @Nullable FrameChecksum checksum) {}
