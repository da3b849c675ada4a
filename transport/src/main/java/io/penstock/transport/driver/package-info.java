/**
 * The media driver of this host and its directory in shared memory: makes it, checks the space, sweeps what dead processes left. Must not
 * know endpoints or messages. Threads: one driver thread, in the process that hosts it. Read first: {@code DriverHost}, {@code
 * DriverDirectory}, {@code StreamBudget}.
 */
@NullMarked
package io.penstock.transport.driver;

import org.jspecify.annotations.NullMarked;
