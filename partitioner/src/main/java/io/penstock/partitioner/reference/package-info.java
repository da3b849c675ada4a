/**
 * What papers say that other engines hold in memory, to judge the planner's idea of them by. Our own engine's numbers come from its own tables, never from here. Pure.
 *
 * <p>Read first: {@link io.penstock.partitioner.reference.MegatronMemory}, {@link io.penstock.partitioner.reference.ZeroMemory}.
 */
@NullMarked
package io.penstock.partitioner.reference;

import org.jspecify.annotations.NullMarked;
