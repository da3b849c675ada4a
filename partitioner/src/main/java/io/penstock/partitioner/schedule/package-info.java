/**
 * Schedules as data: the instructions of every rank, made by rules, proven by the verifier, timed by the simulator, run by the engine's executor.
 *
 * <p>Read first: {@link io.penstock.partitioner.schedule.Instruction}, {@link io.penstock.partitioner.schedule.Schedule}, {@link
 * io.penstock.partitioner.schedule.Schedules}. Pure; must not know models or devices.
 */
@NullMarked
package io.penstock.partitioner.schedule;

import org.jspecify.annotations.NullMarked;
