/**
 * What is trained: the layers of a decoder-only transformer as explicit forward and backward equations, described ({@link io.penstock.models.LayerSpec},
 * pure tables that the planner adds up) and bound to memory and a backend (the layer itself). Also weights, tokenizers and data sets.
 *
 * <p>Must not know ranks, schedules, transport or optimizers: a layer sees one micro-batch. Threads: none of its own.
 *
 * <p>Read first: {@link io.penstock.models.ModelSpec}, {@link io.penstock.models.Block}, {@link io.penstock.models.Head}.
 */
@NullMarked
package io.penstock.models;

import org.jspecify.annotations.NullMarked;
