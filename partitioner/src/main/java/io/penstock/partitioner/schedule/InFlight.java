package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;
import java.util.Arrays;

/**
 * How many micro-batches a rank holds at most: activations from a forward until its {@code Backward} or {@code BackwardWeight}, stashes from a {@code BackwardInput} until its
 * {@code BackwardWeight}. It follows from program order alone, so no timing can change it.
 */
public final class InFlight {
    private final int[][] activations;
    private final int[][] stashes;
    private final int[] activationsOfRank;
    private final int[] stashesOfRank;

    private InFlight(Schedule schedule) {
        int ranks = schedule.ranks();
        activations = new int[ranks][schedule.chunks()];
        stashes = new int[ranks][schedule.chunks()];
        activationsOfRank = new int[ranks];
        stashesOfRank = new int[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            count(schedule, rank);
            rotate(schedule, rank);
        }
    }

    public static InFlight of(Schedule schedule) {
        return new InFlight(schedule);
    }

    /**
     * Slots that a chunk needs for activations, micro-batch i in slot {@code i % slots}: as many as micro-batches that it holds at once where they are always consecutive, as in
     * all {@link Schedules}; more where a user's schedule skips some.
     */
    public int activations(int rank, int chunk) {
        return activations[rank][chunk];
    }

    /** Slots, as {@link #activations}, for stashes of a chunk that outlive their {@code BackwardInput}; 0 with fused backwards, which need one for their own time only. */
    public int stashes(int rank, int chunk) {
        return stashes[rank][chunk];
    }

    /** Micro-batches whose activations a rank holds at once, over all its chunks: less than the sum where chunks peak at different times. */
    public int activationsOfRank(int rank) {
        return activationsOfRank[rank];
    }

    /** As {@link #stashes}, over all chunks of the rank at once. */
    public int stashesOfRank(int rank) {
        return stashesOfRank[rank];
    }

    private void count(Schedule schedule, int rank) {
        int[] held = new int[schedule.chunks()];
        int[] stashed = new int[schedule.chunks()];
        int heldOfRank = 0;
        int stashedOfRank = 0;
        for (Instruction instruction : schedule.instructions().get(rank)) {
            if (instruction instanceof Forward f) {
                activations[rank][f.chunk()] = Math.max(activations[rank][f.chunk()], ++held[f.chunk()]);
                activationsOfRank[rank] = Math.max(activationsOfRank[rank], ++heldOfRank);
            } else if (instruction instanceof Backward || instruction instanceof EvaluateLoss) {
                held[((Instruction.OnMicroBatch) instruction).chunk()]--;
                heldOfRank--;
            } else if (instruction instanceof BackwardInput b) {
                stashes[rank][b.chunk()] = Math.max(stashes[rank][b.chunk()], ++stashed[b.chunk()]);
                stashesOfRank[rank] = Math.max(stashesOfRank[rank], ++stashedOfRank);
            } else if (instruction instanceof BackwardWeight w) {
                held[w.chunk()]--;
                heldOfRank--;
                stashed[w.chunk()]--;
                stashedOfRank--;
            }
        }
    }

    /** Raises the counts of a rank until no micro-batch meets another in its slot. */
    private void rotate(Schedule schedule, int rank) {
        boolean meets = true;
        while (meets) {
            meets = false;
            boolean[][] held = slots(activations[rank]);
            boolean[][] stashed = slots(stashes[rank]);
            for (Instruction instruction : schedule.instructions().get(rank)) {
                if (instruction instanceof Forward f && meets(held[f.chunk()], f.microBatch(), schedule)) {
                    activations[rank][f.chunk()]++;
                    meets = true;
                    break;
                } else if (instruction instanceof BackwardInput b
                        && meets(stashed[b.chunk()], b.microBatch(), schedule)) {
                    stashes[rank][b.chunk()]++;
                    meets = true;
                    break;
                } else if (instruction instanceof Backward b) {
                    free(held[b.chunk()], b.microBatch());
                } else if (instruction instanceof EvaluateLoss e) {
                    free(held[e.chunk()], e.microBatch());
                } else if (instruction instanceof BackwardWeight w) {
                    free(held[w.chunk()], w.microBatch());
                    free(stashed[w.chunk()], w.microBatch());
                }
            }
        }
    }

    private static boolean[][] slots(int[] counts) {
        boolean[][] slots = new boolean[counts.length][];
        Arrays.setAll(slots, chunk -> new boolean[Math.max(1, counts[chunk])]);
        return slots;
    }

    /** Takes the slot of a micro-batch; true if another is there and more slots would help. */
    private static boolean meets(boolean[] slots, int microBatch, Schedule schedule) {
        boolean taken = slots[microBatch % slots.length];
        slots[microBatch % slots.length] = true;
        return taken && slots.length < schedule.microBatches();
    }

    private static void free(boolean[] slots, int microBatch) {
        slots[microBatch % slots.length] = false;
    }
}
