/**
 * How the ranks of a run find each other: over TCP, with a job token. Owns the token, the server that gathers the ranks, and the join of a
 * rank. Must not know endpoints or media drivers; its result is a {@link io.penstock.transport.Membership}. Threads: one acceptor and one
 * virtual thread a connection in the process that hosts the server. Read first: {@code RendezvousServer}, {@code Handshake}, {@code
 * Gathering}.
 */
@NullMarked
package io.penstock.transport.rendezvous;

import org.jspecify.annotations.NullMarked;
