package io.penstock.jmh.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;

/** Repeats what two processes do together, more often each time, until it takes long enough to be a measurement. */
final class Rounds {
    /** So long at least is a measurement. */
    static final long MILLIS = 200;

    private static final double MARGIN = 1.2;
    private static final long MOST_GROWTH = 16;

    private final Wire between;
    private final boolean leads;
    private final MemorySegment[] words = {Arena.ofAuto().allocate(16, 8)};

    /** What is repeated so many times. */
    interface Body {
        void run(int count) throws Exception;
    }

    /** The time of the slower process, and the sleeps of both; of the one that does not lead, only its own. */
    record Round(int count, long ns, long sleeps) {}

    /** One process of the two leads; they agree over the wire. */
    Rounds(Wire between, boolean leads) {
        this.between = between;
        this.leads = leads;
    }

    /** Returns the last round, the only one that took long enough. */
    Round run(int firstCount, Body body) throws Exception {
        Round round = new Round(0, 0, 0);
        for (int count = agree(firstCount); count > 0; count = agree(next(round))) {
            round = once(count, body);
        }
        return round;
    }

    private int next(Round round) {
        long atLeastNs = TimeUnit.MILLISECONDS.toNanos(MILLIS);
        if (round.ns >= atLeastNs) {
            return 0;
        }
        long wanted = (long) (round.count * MARGIN * atLeastNs / Math.max(1, round.ns)) + 1;
        return Math.toIntExact(Math.min(wanted, MOST_GROWTH * round.count));
    }

    /** That of the process that leads. */
    private int agree(int count) throws Exception {
        if (leads) {
            words[0].set(ValueLayout.JAVA_LONG, 0, count);
            between.send(words, 8, 1);
            return count;
        }
        between.receive(words, 8, 1);
        return (int) words[0].get(ValueLayout.JAVA_LONG, 0);
    }

    private Round once(int count, Body body) throws Exception {
        long sleepsBefore = Cores.sleeps();
        long startNs = System.nanoTime();
        body.run(count);
        long ns = System.nanoTime() - startNs;
        long sleeps = Cores.sleeps() - sleepsBefore;
        if (!leads) {
            words[0].set(ValueLayout.JAVA_LONG, 0, ns);
            words[0].set(ValueLayout.JAVA_LONG, 8, sleeps);
            between.send(words, 16, 1);
            return new Round(count, ns, sleeps);
        }
        between.receive(words, 16, 1);
        long otherNs = words[0].get(ValueLayout.JAVA_LONG, 0);
        return new Round(count, Math.max(ns, otherNs), sleeps + words[0].get(ValueLayout.JAVA_LONG, 8));
    }
}
