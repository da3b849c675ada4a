/**
 * Using a trained model in this process: text from a prompt, loss on data. A checkpoint becomes one rank with one stage, which runs forward only.
 *
 * <p>Read first: {@link io.penstock.engine.generation.LoadedModel}, {@link io.penstock.engine.generation.Generator}.
 */
@NullMarked
package io.penstock.engine.generation;

import org.jspecify.annotations.NullMarked;
