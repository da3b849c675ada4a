package io.penstock.engine.launch;

import io.penstock.engine.run.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Which rank's process ended a run, from the exit codes of all: the culprit is the first that failed by itself, not one that lost a peer. */
final class RankFailures {
    private static final int PEER_LOST = 4;
    private static final int SIGNAL = 128;

    private RankFailures() {}

    /** {@code first}: the rank that ended badly first, or -1. */
    static void throwIfAny(Job job, List<Integer> exitCodes, int first) {
        RunDirectory directory = job.directory();
        int culprit = culprit(exitCodes, first);
        if (culprit < 0) {
            return;
        }
        int code = exitCodes.get(culprit);
        StringBuilder message = new StringBuilder();
        if (code > SIGNAL) {
            message.append(name(job, culprit)).append(" was killed by signal ").append(code - SIGNAL);
            witness(directory, exitCodes)
                    .ifPresent(words -> message.append("; ").append(words));
        } else {
            message.append(name(job, culprit)).append(": ");
            message.append(lastLine(directory.errors(culprit)).orElse("ended with exit code " + code));
        }
        message.append("; logs are in ").append(directory.logs());
        throw new RankFailedException(message.toString(), code > SIGNAL ? PEER_LOST : code);
    }

    /** With its stage, where a rank has but one. */
    private static String name(Job job, int rank) {
        return "rank " + rank + (job.config().layout().chunks() == 1 ? " (stage " + rank + ")" : "");
    }

    private static int culprit(List<Integer> exitCodes, int first) {
        int culprit = first >= 0 && exitCodes.get(first) != 0 ? first : -1;
        for (int rank = 0; rank < exitCodes.size(); rank++) {
            boolean byItself = exitCodes.get(rank) != 0 && exitCodes.get(rank) != PEER_LOST;
            boolean better = culprit < 0 || exitCodes.get(culprit) == PEER_LOST;
            if (exitCodes.get(rank) != 0 && (culprit < 0 || (byItself && better))) {
                culprit = rank;
            }
        }
        return culprit;
    }

    /** What a surviving rank said of the loss: where the lost one was. */
    private static Optional<String> witness(RunDirectory directory, List<Integer> exitCodes) {
        for (int rank = 0; rank < exitCodes.size(); rank++) {
            if (exitCodes.get(rank) == PEER_LOST) {
                return lastLine(directory.errors(rank));
            }
        }
        return Optional.empty();
    }

    private static Optional<String> lastLine(Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            return lines.reversed().stream()
                    .filter(line -> line.startsWith("penstock: "))
                    .map(line -> line.substring("penstock: ".length()))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
