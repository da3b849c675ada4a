package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction.OnMicroBatch;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The schedules by name. In all of them a stage's backwards run in the order of micro-batches, so that the sums of gradients, and with them the weights, have the same bits.
 *
 * <p>{@code tied}: the model ties its embedding to its head; the ranks of the first and the last stage then reduce the two gradients.
 */
public final class Schedules {
    /** Values of {@code parallelism.schedule}. */
    public static final List<String> NAMES = List.of("gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "zb-v");

    /** Micro-batches times stages of a step: a list of its instructions takes about a gigabyte. */
    private static final long MOST_FORWARDS = 4_000_000;

    private Schedules() {}

    /**
     * The schedule of a name for any {@code ranks, microBatches >= 1}.
     *
     * @param chunks model chunks a rank: at least 1 for interleaved-1f1b, 2 for zb-v, 1 for the others
     * @throws PlanException on an unknown name or numbers that the schedule cannot have
     */
    public static Schedule create(String name, int ranks, int microBatches, int chunks, boolean tied) {
        if (!NAMES.contains(name)) {
            throw new PlanException("schedule=" + name + ": expected one of " + String.join(", ", NAMES));
        }
        checkChunks(name, chunks);
        long forwards = forwards(ranks, chunks, microBatches);
        if (forwards > MOST_FORWARDS) {
            throw new PlanException(
                    "a step of " + microBatches + " micro-batches through " + ranks + " ranks of " + chunks
                            + " chunks has more than " + MOST_FORWARDS
                            + " forwards, too many to plan one by one: use a larger micro_batch_size or a smaller"
                            + " global_batch_size");
        }
        return switch (name) {
            case "gpipe" -> gpipe(ranks, microBatches, tied);
            case "1f1b" -> oneForwardOneBackward(ranks, microBatches, tied);
            case "interleaved-1f1b" -> interleaved(ranks, microBatches, chunks, tied);
            case "zb-h1" -> zeroBubbleH1(ranks, microBatches, tied);
            default -> zeroBubbleV(ranks, microBatches, tied);
        };
    }

    /** Of a step; what does not fit in a long counts as the largest. */
    private static long forwards(int ranks, int chunks, int microBatches) {
        long stages = Math.multiplyFull(ranks, chunks);
        return stages > Integer.MAX_VALUE ? Long.MAX_VALUE : stages * microBatches;
    }

    /** Whether a step is small enough for its instructions to be listed. */
    public static boolean canList(int ranks, int chunks, int microBatches) {
        return forwards(ranks, chunks, microBatches) <= MOST_FORWARDS;
    }

    /** Chunks a rank where the user names none. */
    public static int defaultChunks(String name) {
        return name.equals("interleaved-1f1b") || name.equals("zb-v") ? 2 : 1;
    }

    /** The stages of each rank's chunks, without making the schedule. */
    public static List<List<Integer>> stageOf(String name, int ranks, int chunks) {
        checkChunks(name, chunks);
        return (name.equals("zb-v") ? Placement.vShape(ranks) : Placement.loop(ranks, chunks)).stageOf();
    }

    public static Schedule gpipe(int ranks, int microBatches, boolean tied) {
        return build("gpipe", ranks, microBatches, 1, tied, rank -> GPipe.order(microBatches));
    }

    public static Schedule oneForwardOneBackward(int ranks, int microBatches, boolean tied) {
        return build("1f1b", ranks, microBatches, 1, tied, r -> OneForwardOneBackward.order(r, ranks, microBatches));
    }

    public static Schedule interleaved(int ranks, int microBatches, int chunks, boolean tied) {
        checkChunks("interleaved-1f1b", chunks);
        return build(
                "interleaved-1f1b",
                ranks,
                microBatches,
                chunks,
                tied,
                rank -> Interleaved.order(rank, ranks, microBatches, chunks));
    }

    public static Schedule zeroBubbleH1(int ranks, int microBatches, boolean tied) {
        return build("zb-h1", ranks, microBatches, 1, tied, rank -> ZeroBubbleH1.order(rank, ranks, microBatches));
    }

    /** ZB-H2, which no engine setting offers: it buys nothing under a barrier before the optimizer; the simulator's published check needs it. */
    public static Schedule zeroBubbleH2(int ranks, int microBatches, boolean tied) {
        return build("zb-h2", ranks, microBatches, 1, tied, rank -> ZeroBubbleH1.orderH2(rank, ranks, microBatches));
    }

    public static Schedule zeroBubbleV(int ranks, int microBatches, boolean tied) {
        checkSizes(ranks, microBatches);
        return assemble(
                "zb-v",
                microBatches,
                tied,
                Placement.vShape(ranks),
                rank -> ZeroBubbleV.order(rank, ranks, microBatches));
    }

    /**
     * Forward only, for validation: the stages lie as in the training schedule. Each forward is closed by its {@code EvaluateLoss} at once, so one slot a chunk is enough.
     */
    public static Schedule evaluation(Schedule training, int microBatches) {
        checkSizes(training.ranks(), microBatches);
        Placement placement = Placement.of(training);
        List<List<OnMicroBatch>> order = training.stageOf().stream()
                .map(stages -> Evaluation.order(training.ranks(), microBatches, stages))
                .toList();
        return Assembly.assembleEvaluation(microBatches, placement, order);
    }

    private static Schedule build(
            String name, int ranks, int microBatches, int chunks, boolean tied, IntFunction<List<OnMicroBatch>> order) {
        checkSizes(ranks, microBatches);
        return assemble(name, microBatches, tied, Placement.loop(ranks, chunks), order);
    }

    private static Schedule assemble(
            String name, int microBatches, boolean tied, Placement placement, IntFunction<List<OnMicroBatch>> order) {
        int ranks = placement.stageOf().size();
        return Assembly.assemble(
                name,
                microBatches,
                tied,
                placement,
                IntStream.range(0, ranks).mapToObj(order).toList());
    }

    private static void checkSizes(int ranks, int microBatches) {
        if (ranks < 1 || microBatches < 1) {
            throw new PlanException(
                    "a pipeline of " + ranks + " ranks and " + microBatches + " micro-batches: both must be positive");
        }
    }

    private static void checkChunks(String name, int chunks) {
        int expected = defaultChunks(name);
        boolean valid = name.equals("interleaved-1f1b") ? chunks >= 1 : chunks == expected;
        if (!valid) {
            throw new PlanException("schedule=" + name + " with " + chunks + " chunks a rank: it needs "
                    + (name.equals("interleaved-1f1b") ? "at least 1" : "exactly " + expected));
        }
    }
}
