package io.penstock.partitioner.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.penstock.models.MicroBatchShape;
import io.penstock.models.ModelSpec;
import io.penstock.models.Presets;
import io.penstock.models.gpt2.Gpt2Family;
import io.penstock.partitioner.CostModel;
import io.penstock.partitioner.CostModel.DeviceRates;
import io.penstock.partitioner.Plan;
import io.penstock.partitioner.PlanTimes;
import io.penstock.partitioner.Planner;
import io.penstock.partitioner.Techniques;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedules;
import io.penstock.partitioner.simulate.Link;
import io.penstock.partitioner.simulate.Simulator;
import io.penstock.partitioner.simulate.StepTimes;
import io.penstock.partitioner.simulate.Timeline;
import io.penstock.tensor.DType;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RenderTest {
    private static final ModelSpec GPT2 =
            new Gpt2Family().spec(Presets.find("gpt2-124m").orElseThrow());

    private static Plan plan() {
        return Planner.plan(
                GPT2,
                new MicroBatchShape(4, 256),
                DType.BF16,
                Schedules.oneForwardOneBackward(2, 8, true),
                Techniques.NONE,
                DeviceRates.cpu(DType.BF16),
                1 << 20);
    }

    private static Timeline timeline() {
        return Simulator.run(Schedules.zeroBubbleV(2, 4, false), new StepTimes() {
            @Override
            public double compute(int rank, Instruction.OnMicroBatch computation) {
                return 1e-3;
            }

            @Override
            public Link link(int from, int to) {
                return Link.FREE;
            }
        });
    }

    @Test
    void shouldShowWhereLayersLie() {
        String[] lines = PlanText.layout(plan(), GPT2).split("\n", -1);
        assertTrue(lines[0].startsWith("rank 0  stage 0  embedding, h.0 - h."), lines[0]);
        assertTrue(lines[1].startsWith("rank 1  stage 1  h."), lines[1]);
        assertTrue(lines[1].contains(" - h.11, head"), lines[1]);
    }

    @Test
    void shouldDrawMemoryToScale() {
        Plan plan = plan();
        long rank0 = plan.memory().get(0).totalBytes();
        String text = PlanText.memory(plan, 2 * rank0);
        assertTrue(text.startsWith("rank 0  [p"), text);
        String bar = text.substring(text.indexOf('[') + 1, text.indexOf(']'));
        assertEquals(40, bar.length());
        assertEquals(20, bar.indexOf('.'), "half of the capacity is half of the bar");
        assertTrue(PlanText.memory(plan, rank0 / 2).contains("DOES NOT FIT"));
    }

    @Test
    void shouldWriteEveryInstructionIntoTheTrace() {
        Timeline timeline = timeline();
        String json = ChromeTrace.json(Map.of("pre\"dicted</script>", timeline));
        long instructions = timeline.schedule().instructions().stream()
                .mapToLong(java.util.List::size)
                .sum();
        assertEquals(
                instructions,
                json.lines().filter(l -> l.startsWith("{\"ph\":\"X\"")).count());
        assertTrue(json.contains("{\"ph\":\"X\",\"name\":\"F0\",\"cat\":\"Forward\",\"pid\":0,\"tid\":0,\"ts\":0.000,"
                + "\"dur\":1000.000,\"args\":{\"micro_batch\":0,\"chunk\":0}}"));
        assertTrue(json.contains("pre\\\"dicted\\u003c/script"), json.substring(0, 200));
        assertTrue(json.endsWith("}\n]}\n"), "no comma at the end");
    }

    @Test
    void shouldPredictTheStepOfAPlanFromItsLayers() {
        Plan plan = plan();
        DeviceRates rates = DeviceRates.cpu(DType.BF16);
        Timeline step = new PlanTimes(plan, GPT2, rates, Link.FREE).simulate();
        double work = 8
                * Arrays.stream(CostModel.layerCosts(GPT2, plan.microBatch(), DType.BF16, Techniques.NONE, rates))
                        .sum();
        assertEquals(work, step.computeSeconds(0) + step.computeSeconds(1), 1e-9 * work);
        // 1F1B of two even stages: a bubble of one micro-batch in nine, and the optimizer.
        assertTrue(
                step.longestSpan() > work / 2 && step.longestSpan() < 0.7 * work, step.longestSpan() + " of " + work);
        assertTrue(step.seconds() > step.longestSpan(), "the optimizer takes time");
    }

    @Test
    void shouldWriteSizesAsPeopleReadThem() {
        assertEquals("512 B", Bytes.text(512));
        assertEquals("1.50 KiB", Bytes.text(1536));
        assertEquals("45.6 GiB", Bytes.text(45.5625 * (1L << 30)));
        assertEquals("124.4 M", PlanText.count(124_439_808));
    }
}
