/**
 * What a plan runs on, in numbers: devices and the wires between them. Pure records; must not know models or schedules.
 *
 * <p>Read first: {@link io.penstock.partitioner.cluster.Cluster}, {@link io.penstock.partitioner.cluster.Clusters}.
 */
@NullMarked
package io.penstock.partitioner.cluster;

import org.jspecify.annotations.NullMarked;
