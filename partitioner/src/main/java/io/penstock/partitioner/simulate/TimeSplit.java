package io.penstock.partitioner.simulate;

/**
 * Where the seconds of a step go, by cause; their sum is the step.
 *
 * @param compute of the busiest rank
 * @param bubble that rank waits although messages were free: the schedule and uneven stages
 * @param messages what pipeline messages add that nothing hides
 * @param end tied and data-parallel reductions, norm, update
 */
public record TimeSplit(double compute, double bubble, double messages, double end) {
    /** From the simulation of a step and that of the same step with free links. */
    public static TimeSplit of(Timeline step, Timeline withFreeLinks, double end) {
        double busiest = 0;
        for (int rank = 0; rank < step.schedule().ranks(); rank++) {
            busiest = Math.max(busiest, step.computeSeconds(rank));
        }
        double messages = Math.max(0, step.seconds() - withFreeLinks.seconds());
        return new TimeSplit(busiest, Math.max(0, step.seconds() - messages - end - busiest), messages, end);
    }

    public double seconds() {
        return compute + bubble + messages + end;
    }
}
