/**
 * The configuration of a run: immutable records, one a section, whose components are the keys; a loader that reports every problem of a file at once; and
 * the checks across keys, of what this version can do, and of the files named.
 *
 * <p>Must not start anything, read data or know the trainer. Threads: none; the records may be shared.
 *
 * <p>Read first: {@link io.penstock.engine.config.Config}, {@link io.penstock.engine.config.ConfigLoader}, {@link
 * io.penstock.engine.config.Consistency}.
 */
@NullMarked
package io.penstock.engine.config;

import org.jspecify.annotations.NullMarked;
