/**
 * Numbers: tensors are views over memory, owners carve that memory once from a table of names and shapes, and a {@link
 * io.penstock.tensor.Backend} computes on it.
 *
 * <p>Owns the dtypes, the table arithmetic and the operations. Must not know models, ranks, schedules or files. Threads: a backend is called by one
 * thread at a time and may use workers of its own; everything else is immutable.
 *
 * <p>Read first: {@link io.penstock.tensor.Tensor}, {@link io.penstock.tensor.TensorTable}, {@link io.penstock.tensor.Backend}.
 */
@NullMarked
package io.penstock.tensor;

import org.jspecify.annotations.NullMarked;
