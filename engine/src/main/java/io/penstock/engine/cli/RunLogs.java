package io.penstock.engine.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends the log of ranks to their files. The command line's business: as a library the engine binds no log. */
final class RunLogs {
    /** What a rank's thread puts in the logging context, see the thread launcher. */
    private static final String RANK_KEY = "rank";

    private static final String PATTERN = "%d{ISO8601} %-5level %thread %logger{20} %msg%n";

    private RunLogs() {}

    /** All of this process to one file. */
    static void process(Path file) {
        attach(file, null);
    }

    /** What the threads of rank {@code rank} log to their file. */
    static void thread(Path file, int rank) {
        attach(file, Integer.toString(rank));
    }

    private static void attach(Path file, @Nullable String rank) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(PATTERN);
        encoder.start();
        FileAppender<ILoggingEvent> appender = new FileAppender<>();
        appender.setContext(context);
        appender.setFile(file.toString());
        appender.setAppend(true);
        appender.setEncoder(encoder);
        if (rank != null) {
            appender.addFilter(new OfRank(rank));
        }
        appender.start();
        context.getLogger("io.penstock").setLevel(Level.INFO);
        context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(appender);
    }

    private static final class OfRank extends Filter<ILoggingEvent> {
        private final String rank;

        OfRank(String rank) {
            this.rank = rank;
        }

        @Override
        public FilterReply decide(ILoggingEvent event) {
            return rank.equals(event.getMDCPropertyMap().get(RANK_KEY)) ? FilterReply.NEUTRAL : FilterReply.DENY;
        }
    }
}
