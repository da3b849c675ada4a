package io.penstock.engine.cli;

/** What a command does once its arguments are understood. Failures are exceptions; {@link ExitCode} maps them. */
@FunctionalInterface
interface Action<R> {
    void run(R request) throws Exception;
}
