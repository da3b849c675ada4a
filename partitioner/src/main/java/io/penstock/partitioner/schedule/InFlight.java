package io.penstock.partitioner.schedule;

import io.penstock.partitioner.schedule.Instruction.Backward;
import io.penstock.partitioner.schedule.Instruction.BackwardInput;
import io.penstock.partitioner.schedule.Instruction.BackwardWeight;
import io.penstock.partitioner.schedule.Instruction.EvaluateLoss;
import io.penstock.partitioner.schedule.Instruction.Forward;

/**
 * How many micro-batches a rank holds at most: activations from a forward until its {@code Backward} or {@code BackwardWeight}, stashes from a {@code BackwardInput} until its
 * {@code BackwardWeight}. It follows from program order alone, so no timing can change it.
 */
public final class InFlight {
    private final int[][] activations;
    private final int[][] stashes;
    private final int[] activationsOfRank;
    private final int[] stashesOfRank;
    private final boolean slotsRotate;

    private InFlight(Schedule schedule) {
        int ranks = schedule.ranks();
        activations = new int[ranks][schedule.chunks()];
        stashes = new int[ranks][schedule.chunks()];
        activationsOfRank = new int[ranks];
        stashesOfRank = new int[ranks];
        for (int rank = 0; rank < ranks; rank++) {
            count(schedule, rank);
        }
        boolean rotate = true;
        for (int rank = 0; rank < ranks; rank++) {
            rotate &= rotates(schedule, rank);
        }
        slotsRotate = rotate;
    }

    public static InFlight of(Schedule schedule) {
        return new InFlight(schedule);
    }

    /** Micro-batches whose activations a chunk holds at once. */
    public int activations(int rank, int chunk) {
        return activations[rank][chunk];
    }

    /** Stashes of a chunk that outlive their {@code BackwardInput}; 0 with fused backwards, which need one for their own time only. */
    public int stashes(int rank, int chunk) {
        return stashes[rank][chunk];
    }

    /** As {@link #activations}, over all chunks of the rank at once: less than the sum where chunks peak at different times. */
    public int activationsOfRank(int rank) {
        return activationsOfRank[rank];
    }

    /** As {@link #stashes}, over all chunks of the rank at once. */
    public int stashesOfRank(int rank) {
        return stashesOfRank[rank];
    }

    /**
     * Whether micro-batch i of a chunk may use slot {@code i % activations(rank, chunk)}, and its stash slot {@code i % stashes(rank, chunk)}: what a chunk holds is
     * always a window of consecutive micro-batches. True for all schedules of {@link Schedules}.
     */
    public boolean slotsRotate() {
        return slotsRotate;
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

    private boolean rotates(Schedule schedule, int rank) {
        boolean[][] held = new boolean[schedule.chunks()][];
        boolean[][] stashed = new boolean[schedule.chunks()][];
        for (int chunk = 0; chunk < schedule.chunks(); chunk++) {
            held[chunk] = new boolean[Math.max(1, activations[rank][chunk])];
            stashed[chunk] = new boolean[Math.max(1, stashes[rank][chunk])];
        }
        boolean rotates = true;
        for (Instruction instruction : schedule.instructions().get(rank)) {
            if (instruction instanceof Forward f) {
                rotates &= take(held[f.chunk()], f.microBatch());
            } else if (instruction instanceof Backward b) {
                free(held[b.chunk()], b.microBatch());
            } else if (instruction instanceof EvaluateLoss e) {
                free(held[e.chunk()], e.microBatch());
            } else if (instruction instanceof BackwardInput b) {
                rotates &= take(stashed[b.chunk()], b.microBatch());
            } else if (instruction instanceof BackwardWeight w) {
                free(held[w.chunk()], w.microBatch());
                free(stashed[w.chunk()], w.microBatch());
            }
        }
        return rotates;
    }

    private static boolean take(boolean[] slots, int microBatch) {
        boolean free = !slots[microBatch % slots.length];
        slots[microBatch % slots.length] = true;
        return free;
    }

    private static void free(boolean[] slots, int microBatch) {
        slots[microBatch % slots.length] = false;
    }
}
