package io.penstock.engine.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final int STEPS = 25;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

    private void run(Progress progress, double firstSeconds) {
        for (int step = 1; step <= STEPS; step++) {
            double seconds = step == 1 ? firstSeconds : 2;
            progress.step(new StepMetrics(step, 1.5, 100L * step, 100 / seconds, 0.5, 1e-3, seconds, Optional.empty()));
        }
    }

    private List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void shouldPrintTheFirstEveryTenthAndTheLastStepElsewhere() {
        run(new Progress(out, false, STEPS, 10), 2);
        assertEquals(
                List.of("step 1/25", "step 10/25", "step 20/25", "step 25/25"),
                lines().stream()
                        .map(line -> line.substring(0, line.indexOf("  ")))
                        .toList());
    }

    @Test
    void shouldNotJudgeTheRestByTheFirstStep() {
        run(new Progress(out, false, STEPS, 10), 1000);
        assertTrue(lines().get(1).contains("  50 tokens/s") && lines().get(1).endsWith("ETA 30s"), lines().get(1));
    }

    @Test
    void shouldRewriteOneLineOnATerminal() {
        run(new Progress(out, true, STEPS, 10), 2);
        assertEquals(STEPS + 1, bytes.toString(StandardCharsets.UTF_8).split("\r", -1).length);
        assertTrue(bytes.toString(StandardCharsets.UTF_8).endsWith(System.lineSeparator()));
    }

    @Test
    void shouldSayTimesAsPeopleDo() {
        assertEquals("12s", Progress.words(Duration.ofSeconds(12)));
        assertEquals("3m05s", Progress.words(Duration.ofSeconds(185)));
        assertEquals("1h02m", Progress.words(Duration.ofSeconds(3725)));
    }
}
