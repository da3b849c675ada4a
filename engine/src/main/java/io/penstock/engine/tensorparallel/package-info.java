/**
 * The tensor-parallel group of a rank over the transport: what layers ask of {@link io.penstock.models.parallel.TensorGroup}, done by collectives. Must not know layers or
 * schedules. One thread, the rank's.
 *
 * <p>Read first: {@link io.penstock.engine.tensorparallel.TransportTensorGroup}.
 */
@NullMarked
package io.penstock.engine.tensorparallel;

import org.jspecify.annotations.NullMarked;
