/**
 * {@code penstock doctor}: what this machine has and lacks for training, each lack with its mend. Only looks; changes nothing.
 *
 * <p>Must not know configurations or runs. Threads: the caller's.
 *
 * <p>Read first: {@link io.penstock.engine.cli.doctor.DoctorCommand}, {@link io.penstock.engine.cli.doctor.Diagnosis}.
 */
@NullMarked
package io.penstock.engine.cli.doctor;

import org.jspecify.annotations.NullMarked;
