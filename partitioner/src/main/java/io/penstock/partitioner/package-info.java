/**
 * Where and when: from a model and a cluster to a {@link io.penstock.partitioner.Plan}. Pure functions: no I/O, no threads, no clock.
 *
 * <p>Must not know transport or the engine; runs nothing. Read first: {@link io.penstock.partitioner.Plan}, {@code Partition}, {@code
 * schedule.Instruction}.
 */
@NullMarked
package io.penstock.partitioner;

import org.jspecify.annotations.NullMarked;
