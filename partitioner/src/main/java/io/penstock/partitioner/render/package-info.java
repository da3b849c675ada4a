/**
 * Plans and timelines to look at: text for a terminal, a self-contained page, a trace file. Pure: everything is a string. Must not know the engine.
 *
 * <p>Read first: {@link io.penstock.partitioner.render.PlanText}, {@link io.penstock.partitioner.render.ChromeTrace}.
 */
@NullMarked
package io.penstock.partitioner.render;

import org.jspecify.annotations.NullMarked;
