/**
 * How fast bytes go between two processes of one machine: Penstock's paths beside the memcpy floor, sockets (NIO, Netty) and OpenMPI, in
 * one run. Must not be seen by any other module. Threads: one that measures in each process, and those of the wires.
 *
 * <p>Read first: {@code WireBench}, {@code Wire}, {@code PenstockWire}.
 */
@NullMarked
package io.penstock.jmh.transport;

import org.jspecify.annotations.NullMarked;
