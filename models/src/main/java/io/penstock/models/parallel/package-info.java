/**
 * What layers that are split over a tensor-parallel group share: how a parameter is split, which rows of a micro-batch a rank holds, and the collectives between
 * its ranks. Shoeybi et al. 2019; sequence parallelism after Korthikanti et al. 2022.
 *
 * <p>Must not know transport, schedules or a particular model: an engine brings the {@link io.penstock.models.parallel.TensorGroup}. Threads: none of its own.
 *
 * <p>Read first: {@link io.penstock.models.parallel.TensorSplit}, {@link io.penstock.models.parallel.TensorGroup}.
 */
@NullMarked
package io.penstock.models.parallel;

import org.jspecify.annotations.NullMarked;
