/**
 * What replicas of a stage do for each other: gradients are summed over them while the backward pass still runs, parameters are gathered while the layer before is at work.
 * Must not know schedules or messages between stages. One thread, the rank's; bytes move meanwhile, and what the thread must do for them is done between the pieces of a layer's work.
 *
 * <p>Read first: {@link io.penstock.engine.sharding.LayerStates}, {@link io.penstock.engine.sharding.SharedStates}, {@link
 * io.penstock.engine.sharding.TreeSum}.
 */
@NullMarked
package io.penstock.engine.sharding;

import org.jspecify.annotations.NullMarked;
