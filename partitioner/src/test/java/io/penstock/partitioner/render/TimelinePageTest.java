package io.penstock.partitioner.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.StepTimes;
import io.penstock.partitioner.simulate.Timeline;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TimelinePageTest {
    private static final MemoryCurve.Holdings HOLDINGS = new MemoryCurve.Holdings() {
        @Override
        public double activationBytes(int rank, int chunk) {
            return 100;
        }

        @Override
        public double stashBytes(int rank, int chunk) {
            return 10;
        }
    };

    private static Timeline timeline(String schedule) {
        return Simulator.run(
                Schedules.create(schedule, 4, 8, Schedules.defaultChunks(schedule), false), new StepTimes() {
                    @Override
                    public double compute(int rank, Instruction.OnMicroBatch computation) {
                        return 1e-3;
                    }

                    @Override
                    public Link link(int from, int to) {
                        return new Link(0, 1e-4, false);
                    }
                });
    }

    @Test
    void shouldHoldAsMuchAsIsInFlight() {
        Timeline oneForward = timeline("1f1b");
        for (int rank = 0; rank < 4; rank++) {
            List<MemoryCurve.Point> curve = MemoryCurve.of(oneForward, rank, 1000, HOLDINGS);
            assertEquals(1000 + 100 * (4 - rank), MemoryCurve.peak(curve).bytes());
            assertEquals(1000, curve.getLast().bytes());
        }
        List<MemoryCurve.Point> split = MemoryCurve.of(timeline("zb-h1"), 3, 0, HOLDINGS);
        assertEquals(4 * 110, MemoryCurve.peak(split).bytes());
        assertEquals(0, split.getLast().bytes());
    }

    @Test
    void shouldContainEverythingAndNothingFromElsewhere() {
        Timeline timeline = timeline("zb-v");
        String page = TimelinePage.html(
                "GPT <2> & more",
                Map.of("predicted", timeline),
                IntStream.range(0, 4)
                        .mapToObj(rank -> MemoryCurve.of(timeline, rank, 1000, HOLDINGS))
                        .toList(),
                4096,
                List.of(new TimelinePage.Table("alternatives", List.of(List.of("layout"), List.of("</script><b>")))));
        assertTrue(page.contains("<h1>GPT &lt;2&gt; &amp; more</h1>"));
        assertTrue(page.contains("[\"F0\",\"forward\",0.00000000,0.00100000000]"), "first instruction with its times");
        assertTrue(page.contains("prefers-color-scheme: dark"));
        assertFalse(page.contains("/*DATA*/"));
        assertFalse(page.contains("</script><b>"), "data must not end the script");
        assertFalse(page.contains("src=") || page.contains("<link") || page.contains("@import"), "self-contained");
        assertEquals(1, page.split("</script>", -1).length - 1);
    }
}
