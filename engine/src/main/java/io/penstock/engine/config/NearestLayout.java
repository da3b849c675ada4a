package io.penstock.engine.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The possible layout that is nearest to an impossible one: the schedule stays, and of the numbers of ranks and chunks as few as possible change, by as small factors as
 * possible.
 */
final class NearestLayout {
    private static final int MOST = 64;

    private NearestLayout() {}

    /** {@code possible}: whether nothing is wrong with a layout. Empty if none of up to 64 ranks an axis is. */
    static Optional<Layout> of(Layout wanted, Predicate<Layout> possible) {
        return candidates(wanted).stream()
                .sorted(Comparator.comparingDouble(candidate -> distance(wanted, candidate)))
                .filter(possible)
                .findFirst();
    }

    private static List<Layout> candidates(Layout wanted) {
        List<Layout> candidates = new ArrayList<>();
        for (int pipeline : near(wanted.pipeline(), false)) {
            for (int tensor : near(wanted.tensor(), false)) {
                for (int data : near(wanted.data(), true)) {
                    for (int chunks : chunks(wanted)) {
                        candidates.add(wanted.withSizes(pipeline, tensor, data, chunks));
                    }
                }
            }
        }
        return candidates;
    }

    private static List<Integer> chunks(Layout wanted) {
        return switch (wanted.schedule()) {
            case GPIPE, ONE_F_ONE_B, ZB_H1 -> List.of(1);
            case ZB_V -> List.of(2);
            case INTERLEAVED -> wanted.chunks() > 2 ? List.of(wanted.chunks(), 2) : List.of(2);
        };
    }

    /** The number itself and smaller ones. */
    private static List<Integer> near(int wanted, boolean powersOfTwo) {
        List<Integer> numbers = new ArrayList<>();
        for (int number = Math.min(wanted, MOST); number >= 1; number--) {
            if (!powersOfTwo || Integer.bitCount(number) == 1) {
                numbers.add(number);
            }
        }
        return numbers;
    }

    private static double distance(Layout wanted, Layout candidate) {
        return factor(wanted.pipeline(), candidate.pipeline())
                + factor(wanted.tensor(), candidate.tensor())
                + factor(wanted.data(), candidate.data())
                + factor(wanted.chunks(), candidate.chunks());
    }

    /** One for a change, and its size. */
    private static double factor(int wanted, int candidate) {
        return wanted == candidate ? 0 : 1 + Math.abs(Math.log((double) wanted / candidate));
    }

    static String words(Layout layout) {
        return "{pipeline: " + layout.pipeline() + ", tensor: " + layout.tensor() + ", data: " + layout.data()
                + ", chunks: " + layout.chunks() + ", schedule: " + layout.schedule() + "}";
    }
}
