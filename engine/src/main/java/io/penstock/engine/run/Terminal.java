package io.penstock.engine.run;

import java.io.Console;
import java.util.Optional;

/** Whether a person watches. */
public final class Terminal {
    private Terminal() {}

    public static boolean present() {
        return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    }
}
