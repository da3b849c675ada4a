package io.penstock.partitioner.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.MemoryCurve;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.StepTimes;
import io.penstock.partitioner.simulate.Timeline;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser without a window; skipped where there is none. */
@Tag("system")
class BrowserTest {
    private static final List<String> BROWSERS = List.of("chromium", "chromium-browser", "google-chrome");
    private static final long LIMIT_SECONDS = 90;

    private static Optional<Path> browser() {
        String path = System.getenv().getOrDefault("PATH", "");
        return BROWSERS.stream()
                .flatMap(name -> Stream.of(path.split(File.pathSeparator, -1)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String page() {
        StepTimes times = new StepTimes() {
            @Override
            public double compute(int rank, Instruction.OnMicroBatch computation) {
                return 1e-3;
            }

            @Override
            public Link link(int from, int to) {
                return new Link(0, 1e-4, false);
            }
        };
        Timeline timeline = Simulator.run(Schedules.create("zb-h1", 2, 4, 1, false), times);
        List<MemoryCurve.Point> curve = List.of(new MemoryCurve.Point(0, 100), new MemoryCurve.Point(1e-3, 200));
        return TimelinePage.html(
                "zb-h1",
                Map.of("predicted", timeline),
                List.of(curve, curve),
                300,
                List.of(new TimelinePage.Table("Alternatives", List.of(List.of("layout"), List.of("pipeline 2")))));
    }

    @Test
    void shouldDrawEveryInstructionInABrowser(@TempDir Path folder) throws IOException, InterruptedException {
        Optional<Path> browser = browser();
        assumeTrue(browser.isPresent(), "none of " + BROWSERS + " is on the PATH: the page is not drawn");
        Path page = Files.writeString(folder.resolve("page.html"), page());
        Path dom = folder.resolve("dom.html");
        Path log = folder.resolve("log.txt");
        List<String> command = new ArrayList<>(List.of(browser.get().toString(), "--headless", "--no-sandbox"));
        command.addAll(List.of(
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync",
                "--enable-logging=stderr",
                "--user-data-dir=" + folder.resolve("profile"),
                "--dump-dom",
                page.toUri().toString()));
        Process process = new ProcessBuilder(command)
                .redirectOutput(dom.toFile())
                .redirectError(log.toFile())
                .start();
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertTrue(ended, "no page after " + LIMIT_SECONDS + " s: " + Files.readString(log));
        String drawn = Files.readString(dom);
        assertFalse(Files.readString(log).contains("Uncaught"), Files.readString(log));
        for (String label : List.of("F0", "F3", "I0", "W3")) {
            assertEquals(2, drawn.split(">" + label + "</text>", -1).length - 1, label + " on both ranks");
        }
        assertTrue(drawn.contains("aria-label=\"predicted: "), drawn);
        assertTrue(drawn.contains("memory over time, line: 300 B"), drawn);
        assertTrue(drawn.contains("<td>pipeline 2</td>"), drawn);
    }
}
