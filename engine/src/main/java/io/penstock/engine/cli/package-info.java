/**
 * The command line: options, exit codes and what is printed for an error. A command parses its arguments into a request and hands it to an {@link
 * io.penstock.engine.cli.Action}; {@link io.penstock.engine.cli.Main} is the only place that knows which.
 *
 * <p>Must not train, plan or open anything itself. Threads: the main thread.
 *
 * <p>Read first: {@link io.penstock.engine.cli.Main}, {@link io.penstock.engine.cli.ExitCode}, {@link io.penstock.engine.cli.TrainCommand}.
 */
@NullMarked
package io.penstock.engine.cli;

import org.jspecify.annotations.NullMarked;
