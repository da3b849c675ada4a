/**
 * How long a step takes and what it holds, for a transformer on a cluster in a given layout: causes are modelled (products, passes, collectives, messages, recomputation,
 * bubble), constants live in {@code cluster}. Pure. For layouts that the engine runs, memory comes from {@code memory.MemoryPlanner} instead.
 *
 * <p>Read first: {@link io.penstock.partitioner.estimate.Transformer}, {@link io.penstock.partitioner.estimate.Layout}, {@link
 * io.penstock.partitioner.estimate.StepEstimator}.
 */
@NullMarked
package io.penstock.partitioner.estimate;

import org.jspecify.annotations.NullMarked;
