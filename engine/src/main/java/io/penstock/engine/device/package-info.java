/**
 * A rank whose tensors the host cannot address: what of it stays on the host, how its messages travel, how ranks' sums are made. Nothing of it is used where tensors are host memory.
 * One thread, the rank's.
 *
 * <p>Read first: {@link io.penstock.engine.device.RankWire}, {@link io.penstock.engine.device.Devices}.
 */
@NullMarked
package io.penstock.engine.device;

import org.jspecify.annotations.NullMarked;
