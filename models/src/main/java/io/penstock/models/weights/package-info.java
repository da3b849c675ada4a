/**
 * Model folders in Hugging Face's layout: {@code config.json} and {@code model.safetensors} or its shards with their index.
 *
 * <p>Owns the file formats and the mapping of names that published files differ in. Must not know layers or ranks: it reads and writes whole tensors in
 * host memory. Threads: none; a file that is open may be read from several.
 *
 * <p>Read first: {@link io.penstock.models.weights.SafetensorsFile}, {@link io.penstock.models.weights.SafetensorsWriter}, {@link
 * io.penstock.models.weights.ModelFolder}.
 */
@NullMarked
package io.penstock.models.weights;

import org.jspecify.annotations.NullMarked;
