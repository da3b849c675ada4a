/**
 * Penstock's layers composed by hand on one backend, without plan, schedule or ranks: what the oracle compares with libtorch and benchmarks take apart. Owns one carved
 * memory a model. Must not know libtorch. Threads: the caller's and its backend's.
 *
 * <p>Read first: {@link io.penstock.jmh.direct.DirectGpt2}, {@link io.penstock.jmh.direct.DirectParameters}.
 */
@NullMarked
package io.penstock.jmh.direct;

import org.jspecify.annotations.NullMarked;
