package io.penstock.engine.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code penstock version}. */
@Command(
        name = "version",
        description = "Prints the versions of Penstock and of the JVM.",
        mixinStandardHelpOptions = true)
final class VersionCommand implements Runnable, IVersionProvider {
    @Spec
    @SuppressWarnings("NullAway.Init")
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().getOut().println(getVersion()[0]);
        spec.commandLine().getOut().flush();
    }

    /** One line, also of {@code --version}. */
    @Override
    public String[] getVersion() {
        String jdk = "JDK " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")";
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        return new String[] {"penstock " + version() + ", " + jdk + ", " + system};
    }

    /** The build writes it beside this class. */
    static String version() {
        try (InputStream in = VersionCommand.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IllegalStateException("version.properties is not on the class path");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "");
        } catch (IOException e) {
            throw new IllegalStateException("reading version.properties", e);
        }
    }
}
