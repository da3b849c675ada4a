/**
 * Bytes between ranks. Owns the {@link io.penstock.transport.Endpoint} of a rank, its two implementations, the wire frame, the failure
 * detector and the collectives. Must not know tensors, dtypes, schedules or configuration files: it moves bytes and takes a reducer.
 *
 * <p>Threads: the rank's own (compute) thread posts transfers and waits for them, parked. Each {@code AeronEndpoint} has one agent thread
 * that owns every publication and subscription and keeps heartbeats going while the compute thread is inside a long native call. The
 * in-memory endpoint has no thread: whoever posts second copies.
 *
 * <p>Read first: {@link io.penstock.transport.Endpoint}, {@code Frame}, {@code TransportAgent}.
 */
@NullMarked
package io.penstock.transport;

import org.jspecify.annotations.NullMarked;
