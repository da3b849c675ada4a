/**
 * One rank put together and trained: memory, layers, executor and the step's end, then the loop over steps. The same code for a rank in a thread and for one in a process.
 *
 * <p>Read first: {@link io.penstock.engine.training.PipelineRank}, {@link io.penstock.engine.training.RankTrainer}.
 */
@NullMarked
package io.penstock.engine.training;

import org.jspecify.annotations.NullMarked;
