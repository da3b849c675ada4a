package io.penstock.engine.cli;

import java.util.ArrayList;
import java.util.List;

/** {@code penstock} with several lists of arguments, separated by a semicolon each, in one JVM; ends with the first exit code that is not 0. */
public final class SeveralCommands {
    private SeveralCommands() {}

    public static void main(String[] arguments) {
        List<String> one = new ArrayList<>();
        int code = 0;
        for (int i = 0; i <= arguments.length && code == 0; i++) {
            if (i < arguments.length && !arguments[i].equals(";")) {
                one.add(arguments[i]);
            } else {
                System.out.println("-- " + one);
                code = Main.commandLine(Main.commands()).execute(one.toArray(String[]::new));
                one.clear();
            }
        }
        System.exit(code);
    }
}
