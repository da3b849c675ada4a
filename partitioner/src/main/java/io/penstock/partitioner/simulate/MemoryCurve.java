package io.penstock.partitioner.simulate;

import io.penstock.partitioner.schedule.Instruction;
import java.util.ArrayList;
import java.util.List;

/** What a rank holds over a timeline: a step function. */
public final class MemoryCurve {
    /** From {@code seconds} on, {@code bytes} are held. */
    public record Point(double seconds, double bytes) {}

    /** Bytes that one micro-batch holds on a chunk. */
    public interface Holdings {
        /** From a forward's start until the end of its {@code Backward}, {@code BackwardWeight} or {@code EvaluateLoss}. */
        double activationBytes(int rank, int chunk);

        /** From a {@code BackwardInput}'s start until the end of its {@code BackwardWeight}. */
        double stashBytes(int rank, int chunk);
    }

    private MemoryCurve() {}

    /** Starts at 0 seconds with {@code fixedBytes}: parameters, gradients, optimizer and buffers. */
    public static List<Point> of(Timeline timeline, int rank, double fixedBytes, Holdings holdings) {
        List<Point> points = new ArrayList<>();
        points.add(new Point(0, fixedBytes));
        double held = fixedBytes;
        List<Instruction> program = timeline.schedule().instructions().get(rank);
        for (int i = 0; i < program.size(); i++) {
            if (!(program.get(i) instanceof Instruction.OnMicroBatch on) || !Timeline.isComputation(on)) {
                continue;
            }
            double activation = holdings.activationBytes(rank, on.chunk());
            double stash = holdings.stashBytes(rank, on.chunk());
            if (on instanceof Instruction.Forward) {
                held += activation;
                points.add(new Point(timeline.start(rank, i), held));
            } else if (on instanceof Instruction.BackwardInput) {
                held += stash;
                points.add(new Point(timeline.start(rank, i), held));
            } else {
                held -= activation + (on instanceof Instruction.BackwardWeight ? stash : 0);
                points.add(new Point(timeline.end(rank, i), held));
            }
        }
        return points;
    }

    /** The first point at which the most is held. */
    public static Point peak(List<Point> curve) {
        Point peak = curve.getFirst();
        for (Point point : curve) {
            peak = point.bytes() > peak.bytes() ? point : peak;
        }
        return peak;
    }
}
