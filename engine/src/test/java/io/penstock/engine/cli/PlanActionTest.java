package io.penstock.engine.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.penstock.tensor.cuda.CudaProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PlanActionTest extends CommandTest {
    @BeforeEach
    void writeConfig() throws IOException {
        write("Know before you launch what fits. ".repeat(50), "small", 2, """
                data: {source: text.txt}
                training: {steps: 2, global_batch_size: 8, micro_batch_size: 2, sequence_length: 16}
                parallelism: {pipeline: 2}
                """);
    }

    @Test
    void shouldShowLayersMemoryTimeAndCost() throws IOException {
        Path page = folder.resolve("plan.html");
        assertEquals(
                0,
                run("plan", config, "--html", page.toString(), "--tokens", "1e9", "--price-per-hour", "2"),
                err::toString);
        for (String words : List.of(
                "rank 0  stage 0  embedding",
                "rank 1  stage 1",
                "head",
                "p parameters",
                "tokens/s",
                "c compute",
                "1.0 B tokens: ",
                "2.00 a device-hour on 2 devices")) {
            assertTrue(text().contains(words), () -> words + " in " + text());
        }
        assertTrue(Files.readString(page).contains("[\"F0\",\"forward\""));
    }

    @Test
    void shouldSayThatItGuessesAGpuThatIsNotThere() throws IOException {
        Assumptions.assumeTrue(CudaProbe.report().problem().isPresent(), "this machine has a GPU");
        String gpu = "cluster.device=cuda";
        String limit = "cluster.memory_per_rank=1GiB";
        for (String parallelism : List.of("parallelism=auto", "parallelism={pipeline: 2}")) {
            assertEquals(0, run("plan", config, "--set", gpu, "--set", limit, "--set", parallelism), err::toString);
            assertTrue(text().contains("times by guessed rates of a GPU"), this::text);
        }
        assertEquals(3, run("plan", config, "--set", gpu, "--set", limit, "--calibrate"));
        assertTrue(err.toString().contains("cluster.device: cuda cannot be used here"), err::toString);
    }

    @Test
    void shouldAddUpToTheStepInJson() throws IOException {
        assertEquals(0, run("plan", config, "--json"), err::toString);
        JsonNode plan = JSON.readTree(text());
        JsonNode split = plan.path("split_seconds");
        double sum = split.path("compute").asDouble()
                + split.path("bubble").asDouble()
                + split.path("messages").asDouble()
                + split.path("end").asDouble();
        assertEquals(plan.path("step_seconds").asDouble(), sum, 1e-9 * sum);
        assertEquals(2, plan.path("plan").path("ranks").size());
        assertEquals(2 * 8 * 16, plan.path("budget").path("tokens").asInt());
    }

    @Test
    void shouldChooseAmongWhatThisMachineRunsAndRespectWhatIsGiven() throws IOException {
        assertEquals(0, run("plan", config, "--json", "--set", "parallelism=auto"), err::toString);
        JsonNode best = JSON.readTree(text()).path("best");
        assertTrue(best.size() >= 1 && best.size() <= 5, text());
        double before = 0;
        for (JsonNode plan : best) {
            assertEquals(2, plan.path("micro_batch_size").asInt(), "it is given");
            assertTrue(plan.path("pipeline").asInt() <= Runtime.getRuntime().availableProcessors());
            assertTrue(plan.path("step_seconds").asDouble() >= before, "fastest first");
            before = plan.path("step_seconds").asDouble();
        }
        String zeroBubble = "parallelism={auto: true, pipeline: 2, schedule: zb-v}";
        assertEquals(0, run("plan", config, "--json", "--set", zeroBubble), err::toString);
        best = JSON.readTree(text()).path("best");
        assertEquals(1, best.size());
        assertEquals("zb-v", best.get(0).path("schedule").asText());
        assertEquals(2, best.get(0).path("chunks").asInt());
    }

    @Test
    void shouldOfferReplicasOnlyWhereTheirSumsHaveTheSameBits() throws IOException {
        assertEquals(0, run("plan", config, "--json", "--set", "parallelism=auto"), err::toString);
        for (JsonNode plan : JSON.readTree(text()).path("best")) {
            assertEquals(1, plan.path("data").asInt());
        }
        String replicas = "parallelism={auto: true, pipeline: 1, data: 2}";
        assertEquals(0, run("plan", config, "--json", "--set", replicas), err::toString);
        JsonNode best = JSON.readTree(text()).path("best");
        assertEquals(2, best.size(), "zero 0 and 1");
        for (JsonNode plan : best) {
            assertEquals(2, plan.path("data").asInt());
            assertEquals(
                    plan.path("zero_stage").asInt() == 0,
                    plan.path("memory_bytes").asLong() == most(best));
            assertTrue(plan.path("split_seconds").path("messages").asDouble() > 0, plan::toString);
        }
        assertEquals(0, run("plan", config, "--set", replicas), err::toString);
        assertTrue(text().contains("ranks 0 - 1  stage 0"), this::text);
        assertTrue(text().contains("pipeline 1, data 2, zero "), this::text);
        int cores = Runtime.getRuntime().availableProcessors();
        assertEquals(
                0,
                run("plan", config, "--json", "--set", "parallelism=auto", "--set", "training.gradient_sum.width=2"),
                err::toString);
        boolean any = false;
        for (JsonNode plan : JSON.readTree(text()).path("best")) {
            any |= plan.path("data").asInt() == 2;
        }
        assertTrue(any || cores < 2, this::text);
    }

    private static long most(JsonNode plans) {
        long most = 0;
        for (JsonNode plan : plans) {
            most = Math.max(most, plan.path("memory_bytes").asLong());
        }
        return most;
    }

    @Test
    void shouldSayTheSmallestChangesThatWouldFit() throws IOException {
        assertEquals(0, run("plan", config, "--json"), err::toString);
        long needed = JSON.readTree(text()).path("memory_bytes").asLong();
        assertEquals(3, run("plan", config, "--set", "cluster.memory_per_rank=" + (needed - 1)));
        assertTrue(err.toString().contains("needs " + needed + " bytes"), err::toString);
        assertTrue(err.toString().contains("micro_batch_size 1"), err::toString);
        assertEquals(0, run("plan", config, "--set", "cluster.memory_per_rank=" + needed), err::toString);
        String smaller = "training.micro_batch_size=1";
        assertEquals(
                0,
                run("plan", config, "--set", smaller, "--set", "cluster.memory_per_rank=" + (needed - 1)),
                err::toString);
    }

    @ParameterizedTest
    @CsvSource({"plan-llama-70b-64xh100,64", "plan-gpt-175b-1024xa100,1024", "plan-1t-4096xh100,4096"})
    void shouldPlanTheExamples(String name, int devices) throws IOException {
        assertEquals(0, run("plan", HOME.resolve("examples/" + name + ".yaml").toString(), "--json"), err::toString);
        JsonNode plan = JSON.readTree(text());
        assertEquals(devices, plan.path("devices").asInt());
        assertEquals(5, plan.path("best").size());
        for (JsonNode best : plan.path("best")) {
            assertEquals(
                    devices,
                    best.path("tensor").asInt()
                            * best.path("pipeline").asInt()
                            * best.path("data").asInt());
            assertTrue(best.path("mfu").asDouble() > 0.2 && best.path("mfu").asDouble() < 0.766, best::toString);
        }
        assertTrue(plan.path("budget").path("cost").asDouble() > 1000);
    }

    @Test
    void shouldPlanTheExampleOfThisMachine() throws IOException {
        String example = HOME.resolve("examples/gpt2-124m.yaml").toString();
        assertEquals(
                0, run("plan", example, "--json", "--set", "data.source=" + HOME.resolve("pom.xml")), err::toString);
        JsonNode plan = JSON.readTree(text());
        assertEquals(124_439_808, plan.path("plan").path("parameters").asLong());
        assertEquals(2, plan.path("plan").path("ranks").size());
        assertTrue(plan.path("memory_bytes").asLong() > 1L << 30, text());
    }

    @Test
    void shouldRefuseAClusterThatIsTooSmallOrImpossible() {
        String llama = HOME.resolve("examples/plan-llama-70b-64xh100.yaml").toString();
        assertEquals(3, run("plan", llama, "--set", "cluster.devices=4"));
        assertTrue(err.toString().contains("GiB instead of 80.0 GiB"), err::toString);
        assertEquals(2, run("plan", llama, "--set", "cluster.devices=12"));
        assertTrue(err.toString().contains("devices=12 % devices_per_node=8 = 4, expected 0"), err::toString);
        assertEquals(2, run("plan", llama, "--set", "cluster.network_bandwidth=0"));
        assertEquals(2, run("train", llama));
        assertTrue(err.toString().contains("which only 'penstock plan' does"), err::toString);
        assertEquals(2, run("plan", llama, "--tokens", "0"));
    }

    @Test
    void shouldDrawTheMeasuredStepBesideThePredictedOne() throws IOException {
        assertEquals(
                0,
                run("train", config, "--set", "logging.timeline=true", "--set", "parallelism.schedule=zb-h1"),
                () -> err + text());
        Path run = folder.resolve("runs/small");
        String page = Files.readString(run.resolve("timeline.html"));
        assertTrue(page.contains("{\"name\":\"predicted\"") && page.contains("{\"name\":\"measured\""), page);
        JsonNode events =
                JSON.readTree(Files.readString(run.resolve("trace.json"))).path("traceEvents");
        int predicted = 0;
        int measured = 0;
        double last = 0;
        for (JsonNode event : events) {
            if (event.path("ph").asText().equals("X")) {
                assertTrue(event.path("dur").asDouble() >= 0 && event.path("ts").asDouble() >= 0, event::toString);
                predicted += event.path("pid").asInt() == 0 ? 1 : 0;
                measured += event.path("pid").asInt() == 1 ? 1 : 0;
                boolean optimizer = event.path("cat").asText().equals("OptimizerStep");
                last = optimizer && event.path("pid").asInt() == 1
                        ? Math.max(
                                last,
                                event.path("ts").asDouble() + event.path("dur").asDouble())
                        : last;
            }
        }
        assertEquals(predicted, measured, "the same instructions");
        String[] lines = Files.readString(run.resolve("metrics.jsonl")).split("\n", -1);
        double step = 0;
        for (String line : lines) {
            JsonNode metrics = JSON.readTree(line.isEmpty() ? "{}" : line);
            step = metrics.has("step_seconds") ? metrics.path("step_seconds").asDouble() : step;
        }
        assertTrue(last > 1e5 * step && last < 1e7 * step, "a trace of " + last + " us, a step of " + step + " s");
    }

    @Test
    void shouldSplitByMeasuredTimesWhereAutoHasThem() throws IOException {
        String auto = "parallelism={auto: true, pipeline: 2, schedule: gpipe}";
        assertEquals(0, run("train", config, "--set", auto), () -> err + text());
        String yaml = Files.readString(folder.resolve("runs/small/config.yaml"));
        assertTrue(yaml.matches("(?s).*split: \\[[1-3], [1-3]\\].*"), yaml);
        assertEquals(0, run("plan", config, "--set", "parallelism.pipeline=2"), err::toString);
        assertTrue(text().contains("times by layers timed on this machine"), this::text);
    }

    @Test
    void shouldTrainWhatThePlanChoseAndInspectWhatCameOut() throws IOException {
        assertEquals(0, run("train", config, "--set", "parallelism={auto: true, pipeline: 1}"), () -> err + text());
        assertTrue(text().contains("parallelism: auto takes pipeline 1, 1f1b, micro-batch 2"), this::text);
        Path run = folder.resolve("runs/small");
        assertEquals(0, run("inspect", run.toString()), err::toString);
        assertTrue(text().contains("step-000002"), this::text);
        Path checkpoint = run.resolve("checkpoints/step-000002");
        assertEquals(0, run("inspect", checkpoint.toString(), "--json"), err::toString);
        JsonNode found = JSON.readTree(text());
        assertEquals("checkpoint", found.path("kind").asText());
        assertEquals(2, found.path("step").asInt());
        assertEquals(2 * 8 * 16, found.path("tokens").asInt());
        assertEquals(0, run("inspect", checkpoint.resolve("model.safetensors").toString()), err::toString);
        assertTrue(text().contains("h.1.attn.c_attn.weight"), this::text);
        assertEquals(2, run("inspect", folder.toString()));
        assertEquals(2, run("inspect", folder.resolve("nothing").toString()));
    }
}
