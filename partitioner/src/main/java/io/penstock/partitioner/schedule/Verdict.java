package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import java.util.List;
import java.util.stream.Collectors;

/** What the verifier found: nothing, or sentences that name ranks, places and instructions. */
public record Verdict(String schedule, List<Problem> problems) {
    /** {@code rank}: whose instructions are to be changed. */
    public record Problem(int rank, String text) {}

    public Verdict {
        problems = List.copyOf(problems);
    }

    public boolean holds() {
        return problems.isEmpty();
    }

    /** @throws PlanException with all problems if there is one */
    public void require() {
        if (!holds()) {
            String all = problems.stream().map(Problem::text).collect(Collectors.joining("\n  "));
            throw new PlanException("schedule " + schedule + " cannot run:\n  " + all);
        }
    }
}
