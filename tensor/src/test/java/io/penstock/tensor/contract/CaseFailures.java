package io.penstock.tensor.contract;

import java.util.ArrayList;
import java.util.List;

/** Runs on after a failed case, to show which sizes fail and which do not. */
final class CaseFailures {
    private static final int SHOWN = 5;

    private final List<Throwable> failures = new ArrayList<>();
    private int cases;

    void run(Runnable check) {
        cases++;
        try {
            check.run();
        } catch (AssertionError | RuntimeException failure) {
            failures.add(failure);
        }
    }

    /** Fails with the first few failures if there were any. */
    void rethrow() {
        if (failures.isEmpty()) {
            return;
        }
        StringBuilder message = new StringBuilder(failures.size() + " of " + cases + " cases fail:");
        for (Throwable failure : failures.subList(0, Math.min(SHOWN, failures.size()))) {
            message.append(System.lineSeparator()).append("  ").append(failure);
        }
        throw new AssertionError(message.toString(), failures.getFirst());
    }
}
