/**
 * What the layers at the two ends of every model share: cutting tokens into chunks for the logits, and the loss of a chunk.
 *
 * <p>Owns how the tokens of a micro-batch are cut. Must not know the families. Threads: none of its own.
 *
 * <p>Read first: {@link io.penstock.models.vocabulary.LogitChunks}, {@link io.penstock.models.vocabulary.TokenLosses}.
 */
@NullMarked
package io.penstock.models.vocabulary;

import org.jspecify.annotations.NullMarked;
