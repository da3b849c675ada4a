/**
 * Plays a schedule against given times and links: when every instruction starts and ends, and what is held in memory meanwhile.
 *
 * <p>Owns nothing but arrays of times; must not know models, devices or clusters, whose times are given to it. Pure and single-threaded. Read first: {@link
 * io.penstock.partitioner.simulate.Simulator}, {@link io.penstock.partitioner.simulate.StepTimes}, {@link io.penstock.partitioner.simulate.Timeline}.
 */
@NullMarked
package io.penstock.partitioner.simulate;

import org.jspecify.annotations.NullMarked;
