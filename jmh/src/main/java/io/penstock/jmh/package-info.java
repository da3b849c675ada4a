/**
 * How fast: one benchmark a class, each asking one question, with the peer (libtorch) and the machine's floor measured in the same run. Must not be seen by any other
 * module. Threads: those of the backend and of the peer, as a benchmark's parameter says.
 *
 * <p>Read first: {@link io.penstock.jmh.Main}, {@link io.penstock.jmh.peer.LibtorchGpt2}.
 */
@NullMarked
package io.penstock.jmh;

import org.jspecify.annotations.NullMarked;
