/**
 * Bytes between ranks. Owns the {@link io.penstock.transport.Endpoint} of a rank, its two implementations, the wire frame, the failure
 * detector and the collectives. Must not know tensors, dtypes, schedules or configuration files: it moves bytes and takes a reducer.
 *
 * <p>Threads: the rank's own (compute) thread posts transfers and waits for them. Bytes are moved by whoever has the {@code Turn} of an
 * {@code AeronEndpoint}: a thread that waits, or the endpoint's transport thread, which moves them while the rank computes and keeps
 * heartbeats going while it is inside a long native call. The in-memory endpoint has no thread: whoever posts second copies.
 *
 * <p>Read first: {@link io.penstock.transport.Endpoint}, {@code Frame}, {@code TransportAgent}, {@code Mover}.
 */
@NullMarked
package io.penstock.transport;

import org.jspecify.annotations.NullMarked;
