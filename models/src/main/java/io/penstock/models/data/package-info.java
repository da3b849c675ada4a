/**
 * Text on disk to sequences of token ids: tokenised once into a compact file, mapped, and cut into windows by a function of (seed, index) alone.
 *
 * <p>Owns the cache file's format, the split in training and validation and the order of sequences. Must not know ranks, steps or batches: whoever asks
 * for sequence i, wherever it runs, gets the same tokens. Threads: none; open data may be read from several.
 *
 * <p>Read first: {@link io.penstock.models.data.TokenData}, {@link io.penstock.models.data.SequenceSampler}, {@link
 * io.penstock.models.data.DataRequest}.
 */
@NullMarked
package io.penstock.models.data;

import org.jspecify.annotations.NullMarked;
