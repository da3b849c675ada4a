package io.penstock.engine.execution;

import io.penstock.engine.execution.ReceiveLane.Receive;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.transport.Kind;
import io.penstock.transport.Tag;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * One pipeline rank's part of a schedule with what the executor derives from it once: the receives of each lane in program order and the tags of the sends. A message is
 * tagged with the stage that it goes to.
 */
public final class Program {
    private final Instruction[] instructions;
    private final Activity[] activities;
    private final List<Receive> activations = new ArrayList<>();
    private final List<Receive> gradients = new ArrayList<>();
    private final Tag[] activationTags;
    private final Tag[] gradientTags;
    private final List<Integer> stageOfChunk;
    private final IntUnaryOperator endpointOf;

    /** {@code endpointOf}: the endpoint's number of a pipeline rank. */
    Program(Schedule schedule, int rank, IntUnaryOperator endpointOf) {
        this.endpointOf = endpointOf;
        this.instructions = schedule.instructions().get(rank).toArray(new Instruction[0]);
        this.activities = new Activity[instructions.length];
        this.stageOfChunk = schedule.stageOf().get(rank);
        this.activationTags = new Tag[stageOfChunk.size()];
        this.gradientTags = new Tag[stageOfChunk.size()];
        for (int chunk = 0; chunk < stageOfChunk.size(); chunk++) {
            int stage = stageOfChunk.get(chunk);
            activationTags[chunk] = new Tag(Kind.ACTIVATION, stage + 1);
            gradientTags[chunk] = new Tag(Kind.GRADIENT, Math.max(0, stage - 1));
        }
        for (int i = 0; i < instructions.length; i++) {
            activities[i] = Activity.of(instructions[i]);
            addReceive(instructions[i]);
        }
    }

    private void addReceive(Instruction instruction) {
        if (instruction instanceof Instruction.ReceiveActivation r) {
            Tag tag = new Tag(Kind.ACTIVATION, stageOfChunk.get(r.chunk()));
            activations.add(new Receive(r.chunk(), r.microBatch(), endpoint(r.peerStageRank()), tag));
        } else if (instruction instanceof Instruction.ReceiveGradient r) {
            Tag tag = new Tag(Kind.GRADIENT, stageOfChunk.get(r.chunk()));
            gradients.add(new Receive(r.chunk(), r.microBatch(), endpoint(r.peerStageRank()), tag));
        }
    }

    /** The endpoint's number of a pipeline rank. */
    int endpoint(int pipelineRank) {
        return endpointOf.applyAsInt(pipelineRank);
    }

    int length() {
        return instructions.length;
    }

    Instruction instruction(int index) {
        return instructions[index];
    }

    List<Instruction> instructions() {
        return List.of(instructions);
    }

    Activity activity(int index) {
        return activities[index];
    }

    List<Receive> activations() {
        return activations;
    }

    List<Receive> gradients() {
        return gradients;
    }

    Tag[] activationTags() {
        return activationTags;
    }

    Tag[] gradientTags() {
        return gradientTags;
    }

    /** The chunk of this rank that holds {@code stage}, or -1. */
    int chunkOfStage(int stage) {
        return stageOfChunk.indexOf(stage);
    }

    int stageOf(int chunk) {
        return stageOfChunk.get(chunk);
    }
}
