package io.penstock.engine.execution;

import io.penstock.engine.sharding.LayerStates;
import io.penstock.engine.state.OffloadedActivations;
import io.penstock.partitioner.Axes;
import io.penstock.partitioner.schedule.Instruction;
import io.penstock.partitioner.schedule.Schedule;
import io.penstock.tensor.Backend;
import io.penstock.tensor.DeviceClock;
import io.penstock.transport.Endpoint;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Interprets the instructions of one pipeline rank, and nothing more: what runs when is the schedule's business. Allocates nothing in a step.
 */
public final class Executor {
    private final Backend backend;
    private final Axes axes;
    private final Endpoint endpoint;
    private final LayerStates states;
    private final List<ChunkRunner> chunks;
    private final @Nullable OffloadedActivations elsewhere;
    private final MicroBatchLosses losses;

    /** {@code chunks}: of this rank, by number, which leave their {@code losses}; {@code elsewhere}: where activations go that do not stay. */
    public Executor(
            Axes axes,
            Backend backend,
            Endpoint endpoint,
            LayerStates states,
            List<ChunkRunner> chunks,
            MicroBatchLosses losses,
            @Nullable OffloadedActivations elsewhere) {
        this.losses = losses;
        this.elsewhere = elsewhere;
        this.axes = axes;
        this.backend = backend;
        this.endpoint = endpoint;
        this.states = states;
        this.chunks = List.copyOf(chunks);
    }

    /** A program ready to run on its data, with the state of its messages. */
    public final class Run {
        private final Program program;
        private final BatchSource batches;
        private final Messages messages;
        private final InstructionTimes times;
        private final @Nullable SlotTraffic traffic;

        private Run(Program program, BatchSource batches) {
            this.program = program;
            this.batches = batches;
            this.messages = new Messages(backend, endpoint, program, chunks);
            this.times = new InstructionTimes(program.length());
            this.traffic = elsewhere == null
                    ? null
                    : new SlotTraffic(elsewhere, chunks.getFirst().activationSlots(), program.instructions());
        }

        /** From now on the device's own times are kept too, where it has a clock; the clock, which is the caller's to close after the last run. */
        public Optional<DeviceClock> followDevice() {
            Optional<DeviceClock> clock = backend.clock(2 * times.instructions());
            clock.ifPresent(times::follow);
            return clock;
        }

        /** Of the last time that it ran. */
        public InstructionTimes times() {
            return times;
        }
    }

    public Run compile(Schedule schedule, BatchSource batches) {
        int rank = endpoint.rank();
        return new Run(new Program(schedule, axes.pipelineRank(rank), stage -> axes.atStage(rank, stage)), batches);
    }

    /**
     * Runs a program once; returns the losses of the tokens that met the head on this rank, good until the next run. {@code lossScale}: what the gradient of their
     * sum is scaled by, one over the tokens of the step. {@code end} is called for the instructions that end a step.
     */
    public MicroBatchLosses run(Run run, int step, float lossScale, StepEnd end) {
        Messages messages = run.messages;
        losses.clear();
        messages.begin(step);
        SlotTraffic traffic = run.traffic;
        if (traffic != null) {
            traffic.begin();
        }
        for (int i = 0; i < run.program.length(); i++) {
            Instruction instruction = run.program.instruction(i);
            int microBatch = instruction instanceof Instruction.OnMicroBatch on ? on.microBatch() : -1;
            endpoint.progress(step, microBatch, run.program.activity(i).code());
            run.times.started(i);
            if (traffic != null) {
                traffic.before(i);
            }
            switch (instruction) {
                case Instruction.Forward f -> forward(run, chunks.get(f.chunk()), f, step);
                case Instruction.EvaluateLoss e -> {
                    if (run.batches.counts(e.microBatch())) {
                        chunks.get(e.chunk()).loss(e.microBatch());
                    }
                    messages.close(e.chunk());
                }
                case Instruction.Backward b -> {
                    messages.copyLocalGradient(b.chunk(), b.microBatch());
                    messages.awaitInputGradientFree(b.chunk(), b.microBatch());
                    chunks.get(b.chunk()).backward(b.microBatch(), lossScale);
                    messages.close(b.chunk());
                }
                case Instruction.BackwardInput b -> {
                    messages.copyLocalGradient(b.chunk(), b.microBatch());
                    messages.awaitInputGradientFree(b.chunk(), b.microBatch());
                    chunks.get(b.chunk()).backwardInput(b.microBatch(), lossScale);
                }
                case Instruction.BackwardWeight b -> {
                    chunks.get(b.chunk()).backwardWeight(b.microBatch());
                    messages.close(b.chunk());
                }
                case Instruction.SendActivation s -> messages.send(s);
                case Instruction.ReceiveActivation r -> messages.await(r);
                case Instruction.SendGradient s -> messages.send(s);
                case Instruction.ReceiveGradient r -> messages.await(r);
                case Instruction.GatherParameters g -> states.gather(g.chunk(), g.fromEnd());
                case Instruction.ReleaseParameters r -> states.release(r.chunk());
                case Instruction.ReduceGradients r -> states.reduce(r.chunk(), r.leaf());
                case Instruction.ReduceTiedGradients r -> end.reduceTiedGradients(step);
                case Instruction.OptimizerStep o -> {
                    messages.finish();
                    end.optimizerStep(step, losses);
                }
            }
            if (traffic != null) {
                traffic.after(i);
            }
            run.times.ended(i);
        }
        messages.finish();
        return losses;
    }

    private static void forward(Run run, ChunkRunner chunk, Instruction.Forward f, int step) {
        Messages messages = run.messages;
        messages.copyLocalInput(f.chunk(), f.microBatch());
        if (chunk.hasEmbedding()) {
            run.batches.tokens(chunk.tokens(f.microBatch()), step, f.microBatch());
        }
        if (chunk.hasHead()) {
            run.batches.targets(chunk.targets(f.microBatch()), step, f.microBatch());
        } else {
            messages.awaitOutputFree(f.chunk(), f.microBatch());
        }
        chunk.forward(f.microBatch());
        messages.inputTaken(f.chunk(), f.microBatch());
    }
}
