/**
 * How ranks come to be: as threads of this JVM, as processes of this machine, or by an outside launcher that sets the environment. All run {@link
 * io.penstock.engine.launch.RankBody}; what differs is who opens the endpoint. Nothing here calls {@code System.exit}.
 *
 * <p>Read first: {@link io.penstock.engine.launch.Launcher}, {@link io.penstock.engine.launch.RankBody}, {@link
 * io.penstock.engine.launch.ProcessLauncher}.
 */
@NullMarked
package io.penstock.engine.launch;

import org.jspecify.annotations.NullMarked;
