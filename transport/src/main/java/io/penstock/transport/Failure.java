package io.penstock.transport;

import java.util.function.IntFunction;

/**
 * Why a job ends: who failed, who says so, and when.
 *
 * @param rank the culprit
 * @param reportedBy the rank that noticed
 * @param atMillis wall clock of the reporter, milliseconds since 1970
 * @param progress where the culprit was when last heard of
 * @param reason one sentence
 */
record Failure(int rank, int reportedBy, long atMillis, Progress progress, String reason) {
    /** Of two failures the earlier is the culprit, and the lower rank where the clocks agree: every rank picks the same. */
    boolean precedes(Failure other) {
        return atMillis != other.atMillis
                ? atMillis < other.atMillis
                : rank != other.rank ? rank < other.rank : reportedBy < other.reportedBy;
    }

    String describe(IntFunction<String> activityNames) {
        return "rank " + rank + " lost " + progress.describe(activityNames) + ": " + reason
                + (reportedBy == rank ? "" : " (reported by rank " + reportedBy + ")");
    }
}
