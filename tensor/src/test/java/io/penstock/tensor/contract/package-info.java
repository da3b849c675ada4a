/**
 * The contract of {@link io.penstock.tensor.Backend} as tests: subclass {@link io.penstock.tensor.contract.BackendContract} with a backend and every
 * operation is run beside the reference at awkward sizes, its memory guarded byte by byte.
 *
 * <p>Owns the cases (one file a subject), their memory images and their tolerances. Must not know any backend but the reference.
 *
 * <p>Read first: {@link io.penstock.tensor.contract.BackendContract}, {@code OperationCase}, {@code MatrixCases}.
 */
@NullMarked
package io.penstock.tensor.contract;

import org.jspecify.annotations.NullMarked;
