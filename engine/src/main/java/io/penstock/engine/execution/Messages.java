package io.penstock.engine.execution;

import io.penstock.partitioner.schedule.Instruction;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import io.penstock.transport.Endpoint;
import java.util.Arrays;
import java.util.List;

/**
 * The messages of one program between the chunks of this rank and its peers. A message between two chunks of one rank is a copy, made just before it is computed on.
 */
final class Messages {
    private final Backend backend;
    private final Program program;
    private final List<ChunkRunner> chunks;
    private final ReceiveLane activations;
    private final ReceiveLane gradients;
    private final SendLane sentActivations;
    private final SendLane sentGradients;
    /** By chunk: how many micro-batches have given back their activations, and their received gradient. */
    private final int[] closed;
    /** By chunk that receives apart from its slots: which of its two buffers are taken, from the receive on until the forward. */
    private final boolean[][] taken;

    private int step;

    Messages(Backend backend, Endpoint endpoint, Program program, List<ChunkRunner> chunks) {
        this.backend = backend;
        this.program = program;
        this.chunks = chunks;
        this.closed = new int[chunks.size()];
        this.taken = new boolean[chunks.size()][2];
        this.activations = new ReceiveLane(endpoint, new ActivationInputs(), program.activations());
        this.gradients = new ReceiveLane(endpoint, new OutputGradients(), program.gradients());
        this.sentActivations = new SendLane(endpoint, program.activationTags());
        this.sentGradients = new SendLane(endpoint, program.gradientTags());
    }

    private final class ActivationInputs implements ReceiveLane.Destination {
        @Override
        public Tensor of(int chunk, int microBatch) {
            taken[chunk][microBatch % 2] = true;
            return chunks.get(chunk).input(microBatch);
        }

        @Override
        public boolean isFree(int chunk, int microBatch) {
            return chunks.get(chunk).receivesApart()
                    ? !taken[chunk][microBatch % 2]
                    : microBatch < closed[chunk] + chunks.get(chunk).slots();
        }
    }

    private final class OutputGradients implements ReceiveLane.Destination {
        @Override
        public Tensor of(int chunk, int microBatch) {
            return chunks.get(chunk).outputGradient(microBatch);
        }

        @Override
        public boolean isFree(int chunk, int microBatch) {
            return microBatch < closed[chunk] + chunks.get(chunk).gradientSlots();
        }
    }

    void begin(int step) {
        this.step = step;
        Arrays.fill(closed, 0);
        activations.begin();
        gradients.begin();
        postFree();
    }

    private void postFree() {
        activations.postFree(step);
        gradients.postFree(step);
    }

    /** The chunk is done with a micro-batch: its slots may receive. */
    void close(int chunk) {
        closed[chunk]++;
        postFree();
    }

    /** Forward is done with the chunk's input: its buffer, where it has one, may receive. */
    void inputTaken(int chunk, int microBatch) {
        taken[chunk][microBatch % 2] = false;
        if (chunks.get(chunk).receivesApart()) {
            postFree();
        }
    }

    void awaitOutputFree(int chunk, int microBatch) {
        sentActivations.awaitFree(chunk, microBatch);
    }

    void awaitInputGradientFree(int chunk, int microBatch) {
        sentGradients.awaitFree(chunk, microBatch);
    }

    void send(Instruction.SendActivation s) {
        Tensor output = chunks.get(s.chunk()).output(s.microBatch());
        sentActivations.send(s.chunk(), s.microBatch(), program.endpoint(s.peerStageRank()), step, output);
    }

    void send(Instruction.SendGradient s) {
        Tensor gradient = chunks.get(s.chunk()).inputGradient(s.microBatch());
        sentGradients.send(s.chunk(), s.microBatch(), program.endpoint(s.peerStageRank()), step, gradient);
    }

    void await(Instruction.ReceiveActivation r) {
        activations.await(r, step);
    }

    void await(Instruction.ReceiveGradient r) {
        gradients.await(r, step);
    }

    /** The input of a chunk whose previous stage is a chunk of this rank. */
    void copyLocalInput(int chunk, int microBatch) {
        int source = program.chunkOfStage(program.stageOf(chunk) - 1);
        if (source >= 0) {
            backend.copy(chunks.get(chunk).input(microBatch), chunks.get(source).output(microBatch));
        }
    }

    /** The output gradient of a chunk whose next stage is a chunk of this rank. */
    void copyLocalGradient(int chunk, int microBatch) {
        int source = program.chunkOfStage(program.stageOf(chunk) + 1);
        if (source >= 0) {
            backend.copy(
                    chunks.get(chunk).outputGradient(microBatch),
                    chunks.get(source).inputGradient(microBatch));
        }
    }

    /** Waits for all sends, so that the next program may use the buffers. */
    void finish() {
        sentActivations.awaitAll();
        sentGradients.awaitAll();
    }
}
