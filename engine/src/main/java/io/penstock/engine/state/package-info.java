/**
 * The memory owners of a rank: parameters with their gradients and optimizer states, and activations with stash and buffers. Each allocates once, from the plan's
 * tables. One thread, the rank's.
 *
 * <p>Read first: {@link io.penstock.engine.state.ParameterStore}, {@link io.penstock.engine.state.ActivationPool}.
 */
@NullMarked
package io.penstock.engine.state;

import org.jspecify.annotations.NullMarked;
