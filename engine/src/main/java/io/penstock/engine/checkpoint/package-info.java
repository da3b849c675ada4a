/**
 * Checkpoints on disk: weights in Hugging Face's layout, optimizer states beside them by parameter name, and a manifest with hashes. Neither depends on the layout that wrote
 * them. A checkpoint appears whole or not at all.
 *
 * <p>Read first: {@link io.penstock.engine.checkpoint.CheckpointManifest}, {@link io.penstock.engine.checkpoint.CheckpointWriter}, {@link
 * io.penstock.engine.checkpoint.CheckpointReader}.
 */
@NullMarked
package io.penstock.engine.checkpoint;

import org.jspecify.annotations.NullMarked;
