/**
 * Running a schedule: the executor interprets a rank's instructions and knows no rule of any schedule; a chunk runner calls the layers of one chunk on the slots of the plan.
 * One thread, the rank's.
 *
 * <p>Read first: {@link io.penstock.engine.execution.Executor}, {@link io.penstock.engine.execution.ChunkRunner}, {@link
 * io.penstock.engine.execution.Messages}.
 */
@NullMarked
package io.penstock.engine.execution;

import org.jspecify.annotations.NullMarked;
