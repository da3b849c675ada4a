package io.penstock.engine.config;

import io.penstock.engine.config.yaml.Finding;
import io.penstock.partitioner.PlanException;
import io.penstock.partitioner.Sharding;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/** The checks that look at more than one key. Each finding names its keys, the one to change first. */
final class Consistency {
    private static final int MOST_RANKS = 65536;

    private final List<Finding> findings = new ArrayList<>();

    private Consistency() {}

    static List<Finding> findings(
            ModelConfig model,
            DataConfig data,
            TrainingConfig training,
            Parallelism parallelism,
            ClusterConfig cluster) {
        Consistency check = new Consistency();
        model.described().ifPresent(shape -> check.shape(shape, data, training));
        check.training(data, training);
        check.cluster(cluster);
        if (parallelism instanceof PartlyAutoLayout partly && !partly.auto()) {
            check.add("auto: false: leave the key out to give the layout key by key", "parallelism.auto");
        }
        if (!(parallelism instanceof Layout) && cluster.launch() == Launch.ENVIRONMENT) {
            check.add(
                    "launch: environment cannot choose a layout: ranks that measure for themselves may choose"
                            + " differently; give the keys that 'penstock plan' shows",
                    "cluster.launch",
                    "parallelism");
        }
        if (!(parallelism instanceof Layout)
                && training.microBatchSize() > 0
                && training.globalBatchSize() % training.microBatchSize() != 0) {
            check.add(
                    "global_batch_size=" + training.globalBatchSize() + " % micro_batch_size="
                            + training.microBatchSize() + " = " + training.globalBatchSize() % training.microBatchSize()
                            + ", expected 0",
                    "training.global_batch_size",
                    "training.micro_batch_size");
        }
        Optional<Integer> layers = model.described().map(shape -> shape.numHiddenLayers() + 2);
        if (parallelism instanceof Layout layout) {
            check.findings.addAll(layoutFindings(model, training, layout));
            check.recomputation(model, layout, cluster);
            check.offload(layout.offload());
            check.findings.addAll(GivenOrder.splitFindings(layout, layers));
        } else if (parallelism instanceof PartlyAutoLayout partly) {
            if (!partly.offload().isEmpty()) {
                check.offload(partly.offload());
            }
            GivenOrder.splitOfModel(partly.split(), layers).ifPresent(check.findings::add);
        }
        return check.findings;
    }

    /** What is wrong with the numbers of a layout; with the last finding, the nearest layout of which nothing is. */
    private static List<Finding> layoutFindings(ModelConfig model, TrainingConfig training, Layout layout) {
        List<Finding> findings = numberFindings(model, training, layout);
        boolean given = layout.scheduleFile().isPresent() || !layout.split().isEmpty();
        if (findings.isEmpty() || given) {
            return findings;
        }
        Optional<Layout> nearest = NearestLayout.of(
                layout, candidate -> numberFindings(model, training, candidate).isEmpty());
        nearest.ifPresent(possible -> {
            Finding last = findings.removeLast();
            findings.add(new Finding(
                    last.keys(),
                    last.message() + "; the nearest layout that is possible: " + NearestLayout.words(possible)));
        });
        return findings;
    }

    private static List<Finding> numberFindings(ModelConfig model, TrainingConfig training, Layout layout) {
        Consistency check = new Consistency();
        check.layout(layout, training);
        model.described().ifPresent(shape -> check.split(shape, layout));
        return check.findings;
    }

    private void shape(DescribedModel model, DataConfig data, TrainingConfig training) {
        if (model.hiddenSize() % model.numAttentionHeads() != 0) {
            add(
                    "heads must divide the hidden size: hidden_size=" + model.hiddenSize() + " % num_attention_heads="
                            + model.numAttentionHeads() + " = " + model.hiddenSize() % model.numAttentionHeads()
                            + "; the nearest number of heads that does is "
                            + nearestDivisor(model.hiddenSize(), model.numAttentionHeads()),
                    "model.num_attention_heads",
                    "model.hidden_size");
        }
        int keyValueHeads = model.numKeyValueHeads().orElse(model.numAttentionHeads());
        if (model.numAttentionHeads() % keyValueHeads != 0) {
            add(
                    "query heads share keys and values in groups of one size: num_attention_heads="
                            + model.numAttentionHeads() + " % num_key_value_heads=" + keyValueHeads + " = "
                            + model.numAttentionHeads() % keyValueHeads,
                    "model.num_key_value_heads",
                    "model.num_attention_heads");
        }
        boolean halves =
                model.architecture() == Architecture.LLAMA && model.hiddenSize() % model.numAttentionHeads() == 0;
        if (halves && model.hiddenSize() / model.numAttentionHeads() % 2 != 0) {
            add(
                    "rotary embedding turns pairs: hidden_size=" + model.hiddenSize() + " / num_attention_heads="
                            + model.numAttentionHeads() + " = " + model.hiddenSize() / model.numAttentionHeads()
                            + ", expected an even number",
                    "model.num_attention_heads",
                    "model.hidden_size");
        }
        if (training.sequenceLength() > model.maxPositionEmbeddings()) {
            add(
                    "sequence_length=" + training.sequenceLength() + " is more than max_position_embeddings="
                            + model.maxPositionEmbeddings() + " of the model",
                    "training.sequence_length",
                    "model.max_position_embeddings");
        }
        int vocabulary = data.tokenizer().vocabularySize();
        if (model.vocabSize() < vocabulary) {
            add(
                    "the " + data.tokenizer() + " tokenizer makes " + vocabulary
                            + " tokens, more than the model's vocab_size=" + model.vocabSize(),
                    "model.vocab_size",
                    "data.tokenizer");
        }
    }

    private static int nearestDivisor(int number, int near) {
        for (int away = 1; ; away++) {
            if (near - away >= 1 && number % (near - away) == 0) {
                return near - away;
            }
            if (number % (near + away) == 0) {
                return near + away;
            }
        }
    }

    private void training(DataConfig data, TrainingConfig training) {
        int warmup = training.learningRateSchedule().warmupSteps();
        if (warmup > training.steps()) {
            add(
                    "warmup_steps=" + warmup + " is more than steps=" + training.steps(),
                    "training.learning_rate_schedule.warmup_steps",
                    "training.steps");
        }
        if (training.validation().every() > 0 && data.validationFraction() == 0) {
            add(
                    "validation every " + training.validation().every() + " steps needs data: validation_fraction is 0",
                    "training.validation.every",
                    "data.validation_fraction");
        }
    }

    private void cluster(ClusterConfig cluster) {
        if (cluster.transport() == TransportKind.MEMORY && cluster.launch() != Launch.THREADS) {
            add(
                    "transport: memory reaches only ranks in one JVM; with launch: " + cluster.launch()
                            + " use auto, aeron:ipc or aeron:udp",
                    "cluster.transport",
                    "cluster.launch");
        }
    }

    private void layout(Layout layout, TrainingConfig training) {
        if (training.microBatchSize() == 0) {
            add(
                    "missing key 'training.micro_batch_size' (a whole number): only parallelism: auto can choose it",
                    "training.micro_batch_size",
                    "training.global_batch_size");
        }
        long together = Math.multiplyFull(Math.max(1, training.microBatchSize()), layout.data());
        if (training.globalBatchSize() % together != 0) {
            add(
                    "global_batch_size=" + training.globalBatchSize() + " % (micro_batch_size="
                            + training.microBatchSize() + " * data=" + layout.data() + ") = "
                            + training.globalBatchSize() % together + ", expected 0; the nearest batch that divides is "
                            + nearestMultiple(training.globalBatchSize(), together),
                    "training.global_batch_size",
                    "training.micro_batch_size",
                    "parallelism.data");
        }
        ranks(layout);
        sums(layout, training);
        if (layout.offload().contains(Offload.PARAMETERS) && layout.zeroStage() < 3) {
            add(
                    "offload: parameters needs zero_stage: 3 (blocks compute with copies of their matrices), found "
                            + layout.zeroStage(),
                    "parallelism.offload",
                    "parallelism.zero_stage");
        }
        tokens(layout, training);
        if (layout.scheduleFile().isPresent()) {
            if (layout.schedule() != ScheduleName.ONE_F_ONE_B) {
                add(
                        "schedule_file gives the order of every rank: leave schedule: " + layout.schedule() + " out",
                        "parallelism.schedule",
                        "parallelism.schedule_file");
            }
            return;
        }
        int chunks = layout.chunks();
        String wanted = switch (layout.schedule()) {
            case GPIPE, ONE_F_ONE_B, ZB_H1 -> chunks == 1 ? "" : "chunks: 1";
            case INTERLEAVED -> chunks >= 2 ? "" : "chunks: 2 or more";
            case ZB_V -> chunks == 2 ? "" : "chunks: 2";
        };
        if (!wanted.isEmpty()) {
            add(
                    "schedule: " + layout.schedule() + " needs " + wanted + ", found chunks: " + chunks,
                    "parallelism.chunks",
                    "parallelism.schedule");
        }
    }

    static Sharding sharding(GradientSumConfig sum, Layout layout) {
        boolean everyMicroBatch = sum.leaf() == 0 && layout.zeroStage() >= 2 && layout.data() > 1;
        return new Sharding(
                layout.data(),
                layout.zeroStage(),
                sum.width() == 0 ? layout.data() : sum.width(),
                everyMicroBatch ? 1 : sum.leaf(),
                layout.zeroWindow());
    }

    private void ranks(Layout layout) {
        BigInteger ranks = BigInteger.valueOf(Math.multiplyFull(layout.pipeline(), layout.tensor()))
                .multiply(BigInteger.valueOf(layout.data()));
        if (ranks.compareTo(BigInteger.valueOf(MOST_RANKS)) > 0) {
            add(
                    "pipeline=" + layout.pipeline() + " * tensor=" + layout.tensor() + " * data=" + layout.data()
                            + " = " + ranks + " ranks, expected at most " + MOST_RANKS,
                    "parallelism.pipeline",
                    "parallelism.tensor",
                    "parallelism.data");
        }
    }

    /** Whether the micro-batches of a step make whole sums. */
    private void sums(Layout layout, TrainingConfig training) {
        try {
            Sharding sharding = sharding(training.gradientSum(), layout);
            long together = Math.multiplyFull(training.microBatchSize(), layout.data());
            if (together > 0 && training.globalBatchSize() % together == 0) {
                sharding.rounds((int) (training.globalBatchSize() / together));
            }
        } catch (PlanException | IllegalArgumentException e) {
            add(String.valueOf(e.getMessage()), "training.gradient_sum", "parallelism.data");
        }
    }

    private void tokens(Layout layout, TrainingConfig training) {
        long tokens = Math.multiplyFull(training.microBatchSize(), training.sequenceLength());
        if (layout.sequenceParallel() && tokens > 0 && tokens < layout.tensor()) {
            add(
                    "tensor=" + layout.tensor() + " ranks cannot share the " + tokens
                            + " tokens of a micro-batch; sequence_parallel: false repeats them",
                    "parallelism.sequence_parallel",
                    "parallelism.tensor",
                    "training.micro_batch_size");
        }
    }

    private static long nearestMultiple(long number, long factor) {
        return Math.max(factor, Math.round((double) number / factor) * factor);
    }

    private void split(DescribedModel model, Layout layout) {
        long layers = model.numHiddenLayers() + 2L;
        long stages = Math.multiplyFull(layout.pipeline(), layout.chunks());
        if (stages > layers) {
            add(
                    "more stages than layers: pipeline=" + layout.pipeline() + " * chunks=" + layout.chunks() + " = "
                            + stages + " stages, the model has " + layers + " layers (embedding, "
                            + model.numHiddenLayers() + " blocks, head)",
                    "parallelism.pipeline",
                    "parallelism.chunks",
                    "model.num_hidden_layers");
        }
        if (model.numAttentionHeads() % layout.tensor() != 0) {
            add(
                    "num_attention_heads=" + model.numAttentionHeads() + " % tensor=" + layout.tensor() + " = "
                            + model.numAttentionHeads() % layout.tensor() + ", expected 0",
                    "parallelism.tensor",
                    "model.num_attention_heads");
        }
        int keyValueHeads = model.numKeyValueHeads().orElse(model.numAttentionHeads());
        if (model.numAttentionHeads() % layout.tensor() == 0 && keyValueHeads % layout.tensor() != 0) {
            add(
                    "num_key_value_heads=" + keyValueHeads + " % tensor=" + layout.tensor() + " = "
                            + keyValueHeads % layout.tensor()
                            + ", expected 0: a rank has the heads that its query heads share",
                    "parallelism.tensor",
                    "model.num_key_value_heads");
        }
        // no part may be empty
        int smallest = Math.min(model.intermediateSize().orElseThrow(), model.vocabSize());
        if (smallest < layout.tensor()) {
            add(
                    "tensor=" + layout.tensor() + " ranks cannot share intermediate_size="
                            + model.intermediateSize().orElseThrow() + " columns and vocab_size=" + model.vocabSize()
                            + " tokens",
                    "parallelism.tensor");
        }
    }

    private void recomputation(ModelConfig model, Layout layout, ClusterConfig cluster) {
        int words = layout.activationCheckpointing().size();
        model.described()
                .filter(shape -> words > 1 && words != shape.numHiddenLayers())
                .ifPresent(shape -> add(
                        "activation_checkpointing lists " + words + " layers, the model has num_hidden_layers="
                                + shape.numHiddenLayers() + "; give one word for all, or one for each",
                        "parallelism.activation_checkpointing",
                        "model.num_hidden_layers"));
        boolean auto = layout.activationCheckpointing().contains(ActivationCheckpointing.AUTO);
        if (auto && layout.activationCheckpointing().size() > 1) {
            add(
                    "activation_checkpointing: auto chooses for every layer: give it alone, not in a list",
                    "parallelism.activation_checkpointing");
        }
        if (layout.activationCheckpointing().isEmpty()) {
            add(
                    "activation_checkpointing: expected one word, or one for each layer, found an empty list",
                    "parallelism.activation_checkpointing");
        }
        if (auto
                && cluster.launch() == Launch.ENVIRONMENT
                && cluster.memoryPerRank().isEmpty()) {
            add(
                    "activation_checkpointing: auto with launch: environment needs cluster.memory_per_rank: ranks on"
                            + " machines of different memory would choose differently",
                    "parallelism.activation_checkpointing",
                    "cluster.memory_per_rank");
        }
    }

    private void offload(List<Offload> words) {
        boolean noneAlone = words.size() == 1 || !words.contains(Offload.NONE);
        if (words.isEmpty() || !noneAlone || new HashSet<>(words).size() < words.size()) {
            add(
                    "offload: expected none alone, or one or more of optimizer, parameters and activations, each once,"
                            + " found " + words,
                    "parallelism.offload");
        }
    }

    private void add(String message, String... keys) {
        findings.add(new Finding(List.of(keys), message));
    }
}
