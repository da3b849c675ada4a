/**
 * The fast CPU backend: matrix products by oneDNN (plain Java where it does not load), everything else by the Vector API, over N threads.
 *
 * <p>Owns its worker threads, one block of workspace, and the oneDNN primitives. Must not know models, ranks or files beyond the two libraries it
 * unpacks. Threads: one caller at a time; an operation is cut into tiles by its shape alone, each tile is computed by one thread, and sums over tiles are
 * taken in tile order, so that no bit depends on the number of threads.
 *
 * <p>Loops over vectors live in classes named {@code Vector*}, whose methods take and return numbers: the JVM's flags keep C2 from inlining them into
 * their callers, for in large methods it leaves vectors as objects, which costs garbage and most of the speed. {@code Lanes}, {@code Exp} and {@code Sigmoid}
 * are what those loops are written in, and are always inlined, until a loop has grown so long that C2 stops inlining methods of ours (its count of nodes, which the
 * JVM's own are exempt from): the end of such a loop is written out, and the elements after the last whole vector get a method of their own.
 *
 * <p>Read first: {@link io.penstock.tensor.cpu.CpuBackend}, {@code Workers}, {@code Lanes}.
 */
@NullMarked
package io.penstock.tensor.cpu;

import org.jspecify.annotations.NullMarked;
