package io.penstock.partitioner.schedule;

import io.penstock.partitioner.PlanException;
import java.util.List;

/** What the verifier found: nothing, or sentences that name ranks, places and instructions. */
public record Verdict(String schedule, List<String> problems) {
    public Verdict {
        problems = List.copyOf(problems);
    }

    public boolean holds() {
        return problems.isEmpty();
    }

    /** @throws PlanException with all problems if there is one */
    public void require() {
        if (!holds()) {
            throw new PlanException("schedule " + schedule + " cannot run:\n  " + String.join("\n  ", problems));
        }
    }
}
