package io.penstock.transport;

import java.util.function.IntFunction;

/**
 * Where a rank was when it was last heard of.
 *
 * @param step the optimizer step, or -1 before the first
 * @param microBatch the micro-batch, or -1 outside of one
 * @param activity the engine's number for what it did; {@link EndpointSettings#activityNames} gives it words
 */
public record Progress(int step, int microBatch, int activity) {
    public static final Progress NONE = new Progress(-1, -1, 0);

    /** For example {@code at step 17, backward of micro-batch 3}. */
    String describe(IntFunction<String> activityNames) {
        if (step < 0) {
            return "before its first step";
        }
        String what = activityNames.apply(activity);
        return "at step " + step + ", " + what + (microBatch < 0 ? "" : " of micro-batch " + microBatch);
    }
}
