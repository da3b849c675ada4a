/**
 * GPT-2 (Radford et al. 2019) layer by layer, with Hugging Face's names, layouts and initialisation.
 *
 * <p>Owns the equations of its layers and the tables of what they save. Must not know where layers run, who owns their memory or how parameters are
 * updated. Threads: none of its own.
 *
 * <p>Read first: {@link io.penstock.models.gpt2.Gpt2Family}, {@link io.penstock.models.gpt2.Gpt2Block}, {@link io.penstock.models.gpt2.Gpt2Head}.
 */
@NullMarked
package io.penstock.models.gpt2;

import org.jspecify.annotations.NullMarked;
