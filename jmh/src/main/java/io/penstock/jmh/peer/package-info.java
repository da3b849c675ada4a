/**
 * libtorch through its Java API: the peer that benchmarks stand beside, and the oracle of the tests. Owns its tensors' native memory and releases it as soon as a call
 * ends. Must not know how Penstock computes: it shares with it the names and shapes of parameters, no equation. Threads: libtorch's own pool, one for the process.
 *
 * <p>Read first: {@link io.penstock.jmh.peer.LibtorchGpt2}, {@link io.penstock.jmh.peer.Libtorch}.
 */
@NullMarked
package io.penstock.jmh.peer;

import org.jspecify.annotations.NullMarked;
