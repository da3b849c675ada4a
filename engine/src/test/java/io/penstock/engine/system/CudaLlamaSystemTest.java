package io.penstock.engine.system;

import io.penstock.tensor.cuda.StandInMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs of a Llama with {@code device: cuda} on a GPU that is played by the host. */
@Tag("system")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class CudaLlamaSystemTest {
    /** Two query heads on each head of keys and values, of two columns. */
    private static final String LLAMA =
            "model={architecture: llama, num_hidden_layers: 2, hidden_size: 16, num_attention_heads: 8, num_key_value_heads: 4,"
                    + " intermediate_size: 24, max_position_embeddings: 8, vocab_size: 256}";

    /** Every sum over ranks has more than two terms. */
    private static final String FOUR = "parallelism={pipeline: 1, tensor: 4, sequence_parallel: true}";

    private static final String ONE = "parallelism={pipeline: 1}";
    private static final String BF16 = "training.precision=bf16";

    @Test
    void shouldTrainAsTheCpuDoes(@TempDir Path folder) throws IOException, InterruptedException {
        var machine = StandInMachine.variables(Files.createDirectory(folder.resolve("libraries")));
        CudaRuns runs = new CudaRuns(Sandbox.in(folder), machine);
        String few = "training.global_batch_size=4";
        String one = "training.micro_batch_size=1";
        runs.train("cpu", "cpu", LLAMA, few, one, ONE);
        runs.train("gpu", "cuda", LLAMA, few, one, ONE);
        runs.train("again", "cuda", LLAMA, few, one, ONE);
        runs.train("cpu-four", "cpu", LLAMA, few, one, FOUR, BF16);
        runs.train("gpu-four", "cuda", LLAMA, few, one, FOUR, BF16);
        runs.start().end(0);
        runs.near("cpu", "gpu", CudaRuns.FULL);
        runs.same("gpu", "again");
        runs.near("cpu-four", "gpu-four", CudaRuns.HALF);
    }
}
