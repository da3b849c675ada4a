/**
 * What a run leaves behind and shows: its directory, metrics and progress. Files are written by rank 0 or by the launcher alone.
 *
 * <p>Read first: {@link io.penstock.engine.run.RunDirectory}, {@link io.penstock.engine.run.MetricsLog}, {@link io.penstock.engine.run.Progress}.
 */
@NullMarked
package io.penstock.engine.run;

import org.jspecify.annotations.NullMarked;
