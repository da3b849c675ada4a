package io.penstock.engine.run;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.penstock.tensor.cuda.GpuReading;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Appends to {@code metrics.jsonl}: one object a line, flushed each, so that a killed run leaves whole lines. One thread. */
public final class MetricsLog implements AutoCloseable {
    private static final JsonFactory JSON = new JsonFactory();

    private final OutputStream out;

    private final Supplier<List<GpuReading>> gpus;

    private MetricsLog(OutputStream out, Supplier<List<GpuReading>> gpus) {
        this.out = out;
        this.gpus = gpus;
    }

    /**
     * Continues after {@code stepsDone} steps; {@code gpus} tells of the devices after each step, nothing where there are none. Lines of later steps, left by a run that went further than its checkpoint, are dropped.
     */
    public static MetricsLog open(Path file, int stepsDone, Supplier<List<GpuReading>> gpus) throws IOException {
        if (Files.exists(file)) {
            keep(file, stepsDone);
        }
        return new MetricsLog(
                new BufferedOutputStream(
                        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)),
                gpus);
    }

    private static void keep(Path file, int stepsDone) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<String> kept = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            // A torn last line is no step.
            if (line.endsWith("}") && mapper.readTree(line).path("step").asInt() <= stepsDone) {
                kept.add(line);
            }
        }
        Files.write(file, kept);
    }

    public void step(StepMetrics metrics) throws IOException {
        write(json -> {
            json.writeNumberField("step", metrics.step());
            number(json, "loss", metrics.loss());
            json.writeNumberField("tokens", metrics.tokens());
            json.writeNumberField("tokens_per_second", metrics.tokensPerSecond());
            number(json, "grad_norm", metrics.gradNorm());
            json.writeNumberField("learning_rate", metrics.learningRate());
            json.writeNumberField("step_seconds", metrics.stepSeconds());
            if (metrics.scaled().isPresent()) {
                ScaledStep scaled = metrics.scaled().get();
                write(json, "loss_scale", Optional.of(scaled.lossScale()));
                json.writeBooleanField("skipped", scaled.skipped());
                json.writeNumberField("skipped_steps", scaled.skippedSteps());
            }
            writeGpus(json, gpus.get());
        });
    }

    /** JSON has no word for what is no number: null. */
    private static void number(JsonGenerator json, String key, double value) throws IOException {
        if (Double.isFinite(value)) {
            json.writeNumberField(key, value);
        } else {
            json.writeNullField(key);
        }
    }

    /** What a device does not report has no key. */
    private static void writeGpus(JsonGenerator json, List<GpuReading> readings) throws IOException {
        if (readings.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("gpus");
        for (GpuReading gpu : readings) {
            json.writeStartObject();
            json.writeNumberField("index", gpu.index());
            write(json, "utilization_percent", gpu.utilizationPercent().map(Integer::doubleValue));
            write(json, "memory_used_bytes", gpu.memoryUsedBytes().map(Long::doubleValue));
            write(json, "temperature_celsius", gpu.temperatureCelsius().map(Integer::doubleValue));
            write(json, "power_watts", gpu.powerWatts());
            json.writeArrayFieldStart("throttle_reasons");
            for (String reason : gpu.throttleReasons()) {
                json.writeString(reason);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void write(JsonGenerator json, String key, Optional<Double> value) throws IOException {
        if (value.isPresent()) {
            double number = value.get();
            if (number == Math.rint(number)) {
                json.writeNumberField(key, (long) number);
            } else {
                json.writeNumberField(key, number);
            }
        }
    }

    /** A line without a training step's keys: the validation loss after {@code step} steps. */
    public void validation(int step, double loss) throws IOException {
        write(json -> {
            json.writeNumberField("step", step);
            number(json, "validation_loss", loss);
        });
    }

    @FunctionalInterface
    private interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    private void write(Fields fields) throws IOException {
        try (JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
            json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        }
        out.write('\n');
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
