/**
 * Doing it: from a configuration and a plan to trained weights. Everything lives in sub-packages: {@code config} (what a user asks for), {@code launch} (how ranks come
 * to be), {@code execution} (one rank interprets its part of a schedule), {@code state} (the memory of a rank), {@code optimizer}, {@code training} (a rank over the steps
 * of a run), {@code offload} (memory beside the device's), {@code checkpoint} and {@code run} (what is left on disk), {@code generation} (use of what was trained), {@code
 * cli}. As a library it is used through {@link io.penstock.engine.TrainingRun}: no prints, no exit of the JVM, no log bound, no thread left.
 *
 * <p>The only room that knows all others but {@code jmh}. Threads: a rank computes on one, which {@code launch} makes.
 *
 * <p>Read first: {@link io.penstock.engine.TrainingRun}, {@code launch.RankBody}, {@link io.penstock.engine.training.PipelineRank}, {@link
 * io.penstock.engine.execution.Executor}.
 */
@NullMarked
package io.penstock.engine;

import org.jspecify.annotations.NullMarked;
