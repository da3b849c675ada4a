package io.penstock.partitioner.simulate;

import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Placement;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.partitioner.schedule.ScheduleVerifier;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;

/**
 * Event simulation of a schedule: an instruction starts when its rank is free and what it needs has arrived; a message leaves when its link is free. Every rank is run as far
 * as its messages allow, in any order: the times do not depend on it. Linear in the number of instructions.
 */
public final class Simulator {
    private static final double NOT_SENT = Double.NaN;

    private final Schedule schedule;
    private final StepTimes times;
    private final Placement placement;
    private final int ranks;
    private final int[] next;
    private final double[] clock;
    private final double[][] starts;
    private final double[][] ends;
    /** When the input of (stage, micro-batch) arrives, or the gradient of its output. */
    private final double[] activationArrival;

    private final double[] gradientArrival;
    private final double[][] linkFree;
    private final ArrayDeque<Integer> runnable = new ArrayDeque<>();

    private Simulator(Schedule schedule, StepTimes times) {
        this.schedule = schedule;
        this.times = times;
        placement = Placement.of(schedule);
        ranks = schedule.ranks();
        next = new int[ranks];
        clock = new double[ranks];
        starts = new double[ranks][];
        ends = new double[ranks][];
        for (int rank = 0; rank < ranks; rank++) {
            starts[rank] = new double[schedule.instructions().get(rank).size()];
            ends[rank] = new double[starts[rank].length];
        }
        activationArrival = new double[placement.stages() * schedule.microBatches()];
        gradientArrival = new double[placement.stages() * schedule.microBatches()];
        Arrays.fill(activationArrival, NOT_SENT);
        Arrays.fill(gradientArrival, NOT_SENT);
        linkFree = new double[ranks][ranks];
    }

    /**
     * The times of a verified schedule.
     *
     * @throws PlanException if the schedule deadlocks, with what the verifier says
     */
    public static Timeline run(Schedule schedule, StepTimes times) {
        return new Simulator(schedule, times).run();
    }

    private Timeline run() {
        for (int rank = 0; rank < ranks; rank++) {
            runnable.add(rank);
        }
        do {
            while (!runnable.isEmpty()) {
                advance(runnable.remove());
            }
        } while (collective());
        for (int rank = 0; rank < ranks; rank++) {
            if (next[rank] < starts[rank].length) {
                ScheduleVerifier.verify(schedule).require();
                throw new PlanException("schedule " + schedule.name() + " stops on rank " + rank);
            }
        }
        return new Timeline(schedule, starts, ends);
    }

    private void advance(int rank) {
        List<Instruction> program = schedule.instructions().get(rank);
        while (next[rank] < program.size() && execute(rank, program.get(next[rank]))) {
            ends[rank][next[rank]] = clock[rank];
            next[rank]++;
        }
    }

    /** False if the instruction waits for another rank. */
    private boolean execute(int rank, Instruction instruction) {
        if (instruction instanceof Instruction.OnStates states) {
            starts[rank][next[rank]] = clock[rank];
            clock[rank] += times.states(rank, states);
            return true;
        }
        return instruction instanceof Instruction.OnMicroBatch on && execute(rank, on);
    }

    /** False if the instruction waits for a message that is not sent yet. */
    private boolean execute(int rank, Instruction.OnMicroBatch on) {
        int stage = placement.stage(rank, on.chunk());
        starts[rank][next[rank]] = clock[rank];
        switch (on) {
            case Instruction.Forward f -> clock[rank] += times.compute(rank, f);
            case Instruction.EvaluateLoss e -> clock[rank] += times.compute(rank, e);
            case Instruction.Backward b -> clock[rank] += times.compute(rank, b);
            case Instruction.BackwardInput b -> clock[rank] += times.compute(rank, b);
            case Instruction.BackwardWeight b -> clock[rank] += times.compute(rank, b);
            case Instruction.SendActivation s ->
                activationArrival[slot(stage + 1, s.microBatch())] = send(rank, s.peerStageRank());
            case Instruction.SendGradient s ->
                gradientArrival[slot(stage - 1, s.microBatch())] = send(rank, s.peerStageRank());
            case Instruction.ReceiveActivation r -> {
                return receive(rank, activationArrival[slot(stage, r.microBatch())]);
            }
            case Instruction.ReceiveGradient r -> {
                return receive(rank, gradientArrival[slot(stage, r.microBatch())]);
            }
        }
        return true;
    }

    private int slot(int stage, int microBatch) {
        return stage * schedule.microBatches() + microBatch;
    }

    /** When the message arrives. */
    private double send(int from, int to) {
        Link link = times.link(from, to);
        double left = Math.max(clock[from], linkFree[from][to]) + link.secondsPerMessage();
        linkFree[from][to] = left;
        if (!link.overlapped()) {
            clock[from] = left;
        }
        runnable.add(to);
        return left + link.latencySeconds();
    }

    private boolean receive(int rank, double arrival) {
        if (Double.isNaN(arrival)) {
            return false;
        }
        clock[rank] = Math.max(clock[rank], arrival);
        return true;
    }

    /** Executes the collective that all ranks having it have reached, if there is one. */
    private boolean collective() {
        return meet(new Instruction.ReduceTiedGradients()) || meet(new Instruction.OptimizerStep());
    }

    private boolean meet(Instruction collective) {
        double latest = 0;
        boolean any = false;
        for (int rank = 0; rank < ranks; rank++) {
            List<Instruction> program = schedule.instructions().get(rank);
            boolean here =
                    next[rank] < program.size() && program.get(next[rank]).equals(collective);
            if (!here && program.contains(collective)) {
                return false;
            }
            any |= here;
            latest = here ? Math.max(latest, clock[rank]) : latest;
        }
        for (int rank = 0; any && rank < ranks; rank++) {
            List<Instruction> program = schedule.instructions().get(rank);
            if (next[rank] < program.size() && program.get(next[rank]).equals(collective)) {
                starts[rank][next[rank]] = clock[rank];
                boolean optimizer = collective instanceof Instruction.OptimizerStep;
                clock[rank] = latest + (optimizer ? times.optimizerStep(rank) : times.reduceTied());
                ends[rank][next[rank]++] = clock[rank];
                runnable.add(rank);
            }
        }
        return any;
    }
}
