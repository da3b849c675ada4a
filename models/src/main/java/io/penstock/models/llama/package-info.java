/**
 * Llama (Touvron et al. 2023) layer by layer, with Hugging Face's names, layouts and initialisation.
 *
 * <p>Owns the equations of its layers and the tables of what they save. Must not know where layers run, who owns their memory or how parameters are
 * updated. Threads: none of its own.
 *
 * <p>Read first: {@link io.penstock.models.llama.LlamaFamily}, {@link io.penstock.models.llama.LlamaBlock}, {@link io.penstock.models.llama.LlamaAttention}.
 */
@NullMarked
package io.penstock.models.llama;

import org.jspecify.annotations.NullMarked;
