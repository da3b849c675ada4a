package io.penstock.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Copies beside the work through real JCuda on stand-ins: out of two regions that are taken in turn, and back. */
final class CopyLaneTest {
    /** A fetch into a region that was just sent waits for work that the send has waited for: only a region that was not sent shows the need. */
    private static final Set<Integer> WAITED_FOR_BEFORE = Set.of(4, 7);

    private static final int WAITS = 10;

    @Test
    void shouldOrderCopiesAmongTheWorkAndNeedEveryWait(@TempDir Path folder) throws IOException, InterruptedException {
        StandIns.driverAndCublas(folder, "13");
        List<String> expected = new ArrayList<>();
        for (int lost = 0; lost <= WAITS; lost++) {
            expected.add(lost + (lost == 0 || WAITED_FOR_BEFORE.contains(lost) ? " right" : " wrong"));
        }
        expected.add("0 bytes allocated");
        assertEquals(expected, StandInRun.inItsOwnJvm(CopyLaneRun.class, folder));
    }
}
