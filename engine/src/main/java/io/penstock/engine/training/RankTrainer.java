package io.penstock.engine.training;

import io.penstock.engine.checkpoint.CheckpointWriter;
import io.penstock.engine.run.StepMetrics;
import java.nio.file.Path;

/** The loop of one rank over the steps of a run: train, tell, evaluate, save. Every rank runs it with the same numbers; rank 0 tells. */
public final class RankTrainer {
    /**
     * How long a run goes and what it does on the way.
     *
     * @param firstStep steps done before: 0, or those of the checkpoint it resumes
     * @param steps of the whole run
     * @param validateEvery steps between validations; 0 for one at the end
     * @param checkpointEvery steps between checkpoints; 0 for one at the end
     */
    public record Span(int firstStep, int steps, int validateEvery, int checkpointEvery) {
        boolean validatesAfter(int step) {
            return step == steps || (validateEvery > 0 && step % validateEvery == 0);
        }

        boolean savesAfter(int step) {
            return step == steps || (checkpointEvery > 0 && step % checkpointEvery == 0);
        }
    }

    private final PipelineRank rank;
    private final int number;
    private final Span span;
    private final PipelineRank.Evaluation validation;
    private final CheckpointWriter checkpoints;
    private final StepListener listener;
    private final StopSignal stop;

    /** {@code number}: of the rank; {@code listener} is told on rank 0 only. */
    public RankTrainer(
            PipelineRank rank,
            int number,
            Span span,
            PipelineRank.Evaluation validation,
            CheckpointWriter checkpoints,
            StepListener listener,
            StopSignal stop) {
        this.rank = rank;
        this.number = number;
        this.span = span;
        this.validation = validation;
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.stop = stop;
    }

    public void run() {
        for (int step = span.firstStep(); step < span.steps(); step++) {
            long begin = System.nanoTime();
            rank.trainStep(step);
            double seconds = (System.nanoTime() - begin) / 1e9;
            int done = step + 1;
            if (number == 0) {
                listener.step(metrics(done, seconds));
            }
            if (span.validatesAfter(done)) {
                double loss = validation.loss(step);
                if (number == 0) {
                    listener.validation(done, loss);
                }
            }
            boolean leaves = stop.leavesAfter(done);
            if (leaves || span.savesAfter(done)) {
                save(done);
            }
            if (leaves) {
                return;
            }
        }
    }

    private StepMetrics metrics(int done, double seconds) {
        return new StepMetrics(
                done,
                rank.loss(),
                done * rank.tokensPerStep(),
                rank.tokensPerStep() / seconds,
                rank.gradientNorm(),
                rank.learningRate(),
                seconds,
                rank.scaledStep());
    }

    private void save(int done) {
        int stage = rank.axes().pipelineRank(number);
        int stages = rank.axes().pipeline();
        if (rank.createsShard()) {
            checkpoints.createShard(done, stage, stages, rank.ownedStates());
        }
        rank.barrier();
        checkpoints.writeShard(
                done, stage, stages, rank.ownedStates(), rank.store().host());
        rank.store().releaseStates();
        rank.barrier();
        if (number == 0) {
            Path folder = checkpoints.finish(
                    done, stages, rank.owningRanks(), rank.modelBytes(), done * rank.tokensPerStep(), rank.lossScale());
            listener.checkpoint(done, folder);
        }
        rank.barrier();
    }
}
