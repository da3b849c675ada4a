/**
 * The optimizer step of a rank: learning-rate schedule, the global gradient norm and AdamW. Must not know how gradients came to be or how many stages there are: the norm
 * is summed over parameters in canonical order, from numbers that every rank gathers.
 *
 * <p>Read first: {@link io.penstock.engine.optimizer.AdamW}, {@link io.penstock.engine.optimizer.LearningRateSchedule}, {@link
 * io.penstock.engine.optimizer.StepStatistics}.
 */
@NullMarked
package io.penstock.engine.optimizer;

import org.jspecify.annotations.NullMarked;
