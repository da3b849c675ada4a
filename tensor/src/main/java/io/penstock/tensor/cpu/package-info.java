/**
 * The fast CPU backend: matrix products by oneDNN (plain Java where it does not load), everything else by the Vector API, over N threads.
 *
 * <p>Owns its worker threads, one block of workspace, and the oneDNN primitives. Must not know models, ranks or files beyond the two libraries it
 * unpacks. Threads: one caller at a time; an operation is cut into tiles by its shape alone, each tile is computed by one thread, and sums over tiles are
 * taken in tile order, so that no bit depends on the number of threads.
 *
 * <p>Read first: {@link io.penstock.tensor.cpu.CpuBackend}, {@code Workers}, {@code Lanes}.
 */
@NullMarked
package io.penstock.tensor.cpu;

import org.jspecify.annotations.NullMarked;
