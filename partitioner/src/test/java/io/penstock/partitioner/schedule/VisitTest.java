package io.penstock.partitioner.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class VisitTest {
    /** What never left the device goes nowhere: the last stage computes each micro-batch forward and backward at once. */
    @Test
    void shouldStayWhereForwardAndBackwardMeet() {
        List<Visit> visits =
                Visit.of(Schedules.create("1f1b", 3, 5, 1, false).instructions().getLast());
        assertEquals(5, visits.size());
        assertTrue(visits.stream().noneMatch(visit -> visit.returns() || visit.leaves()));
    }

    /** Whatever leaves returns before the step ends, once for each time that it left, with no other visit of its micro-batch between. */
    @ParameterizedTest
    @ValueSource(strings = {"gpipe", "1f1b", "interleaved-1f1b", "zb-h1", "zb-v"})
    void shouldReturnWhateverLeaves(String name) {
        for (int ranks : List.of(2, 3, 5)) {
            int chunks = Schedules.defaultChunks(name);
            Schedule schedule = Schedules.create(name, ranks, 3 * ranks, chunks, true);
            for (List<Instruction> program : schedule.instructions()) {
                Set<List<Integer>> away = new HashSet<>();
                int end = -1;
                for (Visit visit : Visit.of(program)) {
                    List<Integer> key = List.of(visit.chunk(), visit.microBatch());
                    assertTrue(end < visit.first(), "visits overlap");
                    assertEquals(visit.returns(), away.remove(key), name + " " + visit);
                    if (visit.leaves()) {
                        away.add(key);
                    }
                    end = visit.last();
                }
                assertEquals(Set.of(), away, name);
            }
        }
    }
}
