/**
 * {@code parallelism: auto}: the layouts of a model on a cluster, best first, or the smallest changes that would make it fit. Pure and deterministic.
 *
 * <p>Read first: {@link io.penstock.partitioner.search.LayoutSearch}, {@link io.penstock.partitioner.search.Pinned}.
 */
@NullMarked
package io.penstock.partitioner.search;

import org.jspecify.annotations.NullMarked;
