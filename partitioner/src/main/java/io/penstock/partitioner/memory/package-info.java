/**
 * The memory of a rank, to the byte: tables that the planner adds up and that the engine's owners carve. A name in a table is part of the contract with the engine; {@link
 * io.penstock.partitioner.memory.TensorNames} is its only home.
 *
 * <p>Read first: {@link io.penstock.partitioner.memory.MemoryPlanner}, {@link io.penstock.partitioner.memory.TensorNames}, {@link
 * io.penstock.partitioner.memory.Slots}.
 */
@NullMarked
package io.penstock.partitioner.memory;

import org.jspecify.annotations.NullMarked;
