/**
 * {@code penstock plan}: what a run would do before it is started, on this machine with what a short probe of its own layers measured, or on a described cluster; and beside it,
 * what a run did. Turns configurations into questions to the partitioner and its answers into text, JSON and a page.
 *
 * <p>Must not train for its own sake: only {@link io.penstock.engine.planning.LayerProbe} runs layers, to time them. Threads: the caller's; probes add one a rank ({@link io.penstock.engine.planning.AtOnce}).
 *
 * <p>Read first: {@link io.penstock.engine.planning.MachinePlanner}, {@link io.penstock.engine.planning.LayerProbe}, {@link
 * io.penstock.engine.planning.ClusterPlanner}.
 */
@NullMarked
package io.penstock.engine.planning;

import org.jspecify.annotations.NullMarked;
