package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Which rank holds which stage: the inverse of {@link Schedule#stageOf()}. */
public final class Placement {
    private final List<List<Integer>> stageOf;
    private final int[] rankOf;
    private final int[] chunkOf;

    private Placement(List<List<Integer>> stageOf) {
        this.stageOf = stageOf;
        int chunks = stageOf.get(0).size();
        int stages = stageOf.size() * chunks;
        rankOf = new int[stages];
        chunkOf = new int[stages];
        Arrays.fill(rankOf, -1);
        for (int rank = 0; rank < stageOf.size(); rank++) {
            if (stageOf.get(rank).size() != chunks) {
                throw new PlanException("rank " + rank + " holds "
                        + stageOf.get(rank).size() + " chunks, rank 0 holds " + chunks
                        + ": every rank holds the same number");
            }
            for (int chunk = 0; chunk < chunks; chunk++) {
                int stage = stageOf.get(rank).get(chunk);
                if (stage < 0 || stage >= stages || rankOf[stage] >= 0) {
                    throw new PlanException("rank " + rank + " chunk " + chunk + " holds stage " + stage
                            + ": each of the stages 0.." + (stages - 1) + " is held once");
                }
                rankOf[stage] = rank;
                chunkOf[stage] = chunk;
            }
        }
    }

    /** Checks that every stage is held once. */
    public static Placement of(Schedule schedule) {
        return new Placement(schedule.stageOf());
    }

    /** Chunk c of rank r is stage {@code c * ranks + r}; with one chunk, rank r is stage r. */
    static Placement loop(int ranks, int chunks) {
        List<List<Integer>> stageOf = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            List<Integer> stages = new ArrayList<>();
            for (int chunk = 0; chunk < chunks; chunk++) {
                stages.add(chunk * ranks + rank);
            }
            stageOf.add(stages);
        }
        return new Placement(stageOf);
    }

    /** Two chunks: rank r holds stages r and {@code 2 * ranks - 1 - r}, so that rank 0 holds the first and the last. */
    static Placement vShape(int ranks) {
        List<List<Integer>> stageOf = new ArrayList<>();
        for (int rank = 0; rank < ranks; rank++) {
            stageOf.add(List.of(rank, 2 * ranks - 1 - rank));
        }
        return new Placement(stageOf);
    }

    public int stages() {
        return rankOf.length;
    }

    public int stage(int rank, int chunk) {
        return stageOf.get(rank).get(chunk);
    }

    public int rankOf(int stage) {
        return rankOf[stage];
    }

    public int chunkOf(int stage) {
        return chunkOf[stage];
    }

    /** Whether the stage's input comes from another rank, as a message. */
    public boolean receivesActivation(int stage) {
        return stage > 0 && rankOf[stage - 1] != rankOf[stage];
    }

    /** Whether the gradient of the stage's output comes from another rank, as a message. */
    public boolean receivesGradient(int stage) {
        return stage < stages() - 1 && rankOf[stage + 1] != rankOf[stage];
    }

    List<List<Integer>> stageOf() {
        return stageOf;
    }
}
