/**
 * Doing it: from a configuration and a plan to trained weights. Everything lives in sub-packages: {@code config} (what a user asks for), {@code launch} (how ranks come
 * to be), {@code execution} (one rank interprets its part of a schedule), {@code state} (the memory of a rank), {@code optimizer}, {@code training} (a rank over the steps
 * of a run), {@code checkpoint} and {@code run} (what is left on disk), {@code generation} (use of what was trained), {@code cli}.
 *
 * <p>The only room that knows all others but {@code jmh}. Threads: a rank computes on one, which {@code launch} makes.
 *
 * <p>Read first: {@code launch.RankBody}, {@link io.penstock.engine.training.PipelineRank}, {@link
 * io.penstock.engine.execution.Executor}.
 */
@NullMarked
package io.penstock.engine;

import org.jspecify.annotations.NullMarked;
