package io.penstock.engine.system;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A folder of a test with a text and the config of a small run, where the real command line runs in JVMs of its own. */
record Sandbox(Path folder) {
    static final String NAME = "small";
    static final String MAIN = "io.penstock.engine.cli.Main";
    private static final String TEXT = "text.txt";
    private static final List<String> WORDS = List.of("public", "final", "class", "int", "return", "value", "offset");
    private static final String CONFIG = """
            run: {name: small, seed: 3}
            model:
              architecture: gpt2
              num_hidden_layers: 2
              hidden_size: 32
              num_attention_heads: 2
              max_position_embeddings: 16
              vocab_size: 256
            data: {source: text.txt, tokenizer: bytes, validation_fraction: 0.1}
            training:
              steps: 8
              global_batch_size: 8
              micro_batch_size: 2
              sequence_length: 16
              precision: f32
              gradient_sum: {width: 4, leaf: 1}
              optimizer: {learning_rate: 3.0e-3}
              learning_rate_schedule: {warmup_steps: 2}
            parallelism: {pipeline: 2, schedule: 1f1b}
            cluster: {launch: processes, failure_timeout: 4.0}
            checkpoint: {every: 4}
            logging: {every: 2, sample_tokens: 8, sample_prompt: "public "}
            """;

    static Sandbox in(Path folder) throws IOException {
        StringBuilder text = new StringBuilder();
        Random random = new Random(1);
        while (text.length() < 20_000) {
            text.append(WORDS.get(random.nextInt(WORDS.size()))).append(random.nextInt(8) == 0 ? ";\n" : " ");
        }
        Files.writeString(folder.resolve(TEXT), text);
        Files.writeString(folder.resolve("c.yaml"), CONFIG);
        return new Sandbox(folder.toRealPath());
    }

    Path text() {
        return folder.resolve(TEXT);
    }

    Path run(String name) {
        return folder.resolve("runs").resolve(name);
    }

    Path checkpoint(String name, int step) {
        return run(name).resolve("checkpoints").resolve("step-%06d".formatted(step));
    }

    /** {@code penstock train c.yaml} with {@code --set} before each of {@code overrides}. */
    static String[] train(String... overrides) {
        List<String> arguments = new ArrayList<>(List.of("train", "c.yaml"));
        for (String override : overrides) {
            arguments.add("--set");
            arguments.add(override);
        }
        return arguments.toArray(String[]::new);
    }

    Running start(String... arguments) {
        return start(Map.of(), arguments);
    }

    Running start(Map<String, String> variables, String... arguments) {
        return startClass(MAIN, variables, arguments);
    }

    /** As a user's command starts. */
    Running startWarm(String... arguments) {
        return startJvm(SharedClasses.flagsWithoutArchive(), MAIN, Map.of(), arguments);
    }

    /** Another main class than the command line's. Kernels are compiled when they are used: to compile them all would take longer than these runs. */
    Running startClass(String main, Map<String, String> variables, String... arguments) {
        List<String> flags = new ArrayList<>(SharedClasses.flags());
        flags.add("-Dpenstock.warm.up=false");
        return startJvm(flags, main, variables, arguments);
    }

    /** {@code moreFlags}: the class path among them. */
    Running startJvm(List<String> moreFlags, String main, Map<String, String> variables, String... arguments) {
        List<String> command = new ArrayList<>();
        // A test that runs in the background has SIGINT ignored, and would pass that on.
        command.addAll(List.of("env", "--default-signal=INT"));
        command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
        command.addAll(List.of(flags().split(" ", -1)));
        command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC"));
        command.addAll(moreFlags);
        command.add(main);
        command.addAll(List.of(arguments));
        try {
            Path out = Files.createTempFile(folder, "out", ".txt");
            Path err = Files.createTempFile(folder, "err", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().putAll(variables);
            return new Running(builder.start(), out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String flags() {
        Path home = Path.of(System.getProperty("penstock.home", ".."));
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(home.resolve("jvm.properties"), StandardCharsets.UTF_8)) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("penstock.jvm.flags");
    }

    /** Every tensor of a checkpoint, weights and moments, by name, whatever shards it lies in. */
    static Map<String, String> tensors(Path checkpoint) throws IOException {
        Map<String, String> tensors = new TreeMap<>();
        try (Stream<Path> files = Files.list(checkpoint)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".safetensors"))
                    .toList()) {
                tensors.putAll(Safetensors.read(file));
            }
        }
        return tensors;
    }
}
