/**
 * Text to token ids and back.
 *
 * <p>Owns the tokenizers by name and the file that says, in a checkpoint, which one it was trained with. Must not know models or data sets. Threads:
 * none; a tokenizer may be used from several.
 *
 * <p>Read first: {@link io.penstock.models.tokens.Tokenizer}, {@link io.penstock.models.tokens.Tokenizers}, {@link
 * io.penstock.models.tokens.StreamingDecoder}.
 */
@NullMarked
package io.penstock.models.tokens;

import org.jspecify.annotations.NullMarked;
